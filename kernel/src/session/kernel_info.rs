//! kernel_info_request: answered at once, even if the evaluator is busy.
//! <https://jupyter-client.readthedocs.io/en/stable/messaging.html#kernel-info>

use super::{Origin, Session};
use swath_wire::{HelpLink, KernelInfoReply, LanguageInfo, PROTOCOL_VERSION};

/// The version of the compiler that built this kernel and compiles the cells.
pub(crate) const RUSTC_VERSION: &str = env!("SWATH_RUSTC_RELEASE");

impl Session {
    pub(super) fn on_kernel_info(&self, origin: &Origin) {
        self.reply(origin, &kernel_info());
    }
}

fn kernel_info() -> KernelInfoReply {
    const VERSION: &str = env!("CARGO_PKG_VERSION");
    KernelInfoReply {
        status: "ok",
        protocol_version: PROTOCOL_VERSION,
        implementation: "swath",
        implementation_version: VERSION,
        language_info: LanguageInfo {
            name: "rust",
            version: RUSTC_VERSION,
            mimetype: "text/x-rustsrc",
            file_extension: ".rs",
            pygments_lexer: "rust",
            codemirror_mode: "rust",
            nbconvert_exporter: "script",
        },
        banner: format!(
            "Swath {VERSION}: interactive parallel analytics in Rust {RUSTC_VERSION}\n\
             Type :help for the list of commands."
        ),
        debugger: false,
        supported_features: Vec::new(),
        help_links: [
            (
                "The Rust Programming Language",
                "https://doc.rust-lang.org/book/",
            ),
            ("Rust standard library", "https://doc.rust-lang.org/std/"),
            ("Polars for Rust", "https://docs.rs/polars/"),
            ("ndarray", "https://docs.rs/ndarray/"),
        ]
        .into_iter()
        .map(|(text, url)| HelpLink { text, url })
        .collect(),
    }
}
