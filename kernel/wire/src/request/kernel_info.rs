//! kernel_info_request's reply.
//! <https://jupyter-client.readthedocs.io/en/stable/messaging.html#kernel-info>

use serde::Serialize;

use crate::Content;

/// The description of the kernel.
#[derive(Clone, Debug, Serialize)]
pub struct KernelInfoReply {
    /// Always "ok".
    pub status: &'static str,
    /// The protocol's version.
    pub protocol_version: &'static str,
    /// The kernel's name.
    pub implementation: &'static str,
    /// The kernel's version.
    pub implementation_version: &'static str,
    /// The language of its cells.
    pub language_info: LanguageInfo,
    /// The text that a console shows when it starts.
    pub banner: String,
    /// Deprecated by `supported_features`.
    pub debugger: bool,
    /// The supported optional features of the protocol: none.
    pub supported_features: Vec<&'static str>,
    /// Entries of the client's help menu.
    pub help_links: Vec<HelpLink>,
}

/// The language of the cells.
#[derive(Clone, Debug, Serialize)]
pub struct LanguageInfo {
    /// Its name, which nbconvert and papermill look up.
    pub name: &'static str,
    /// The compiler's version.
    pub version: &'static str,
    /// The MIME type of a script.
    pub mimetype: &'static str,
    /// The file extension of a script.
    pub file_extension: &'static str,
    /// The Pygments lexer, which highlights exported notebooks.
    pub pygments_lexer: &'static str,
    /// The CodeMirror mode, which highlights cells.
    pub codemirror_mode: &'static str,
    /// The nbconvert exporter, which converts a notebook to a script.
    pub nbconvert_exporter: &'static str,
}

/// An entry of the client's help menu.
#[derive(Clone, Debug, Serialize)]
pub struct HelpLink {
    /// Its title.
    pub text: &'static str,
    /// Its URL.
    pub url: &'static str,
}

impl Content for KernelInfoReply {
    fn msg_type(&self) -> &str {
        "kernel_info_reply"
    }
}
