//! kernel_info_request's reply.
//! <https://jupyter-client.readthedocs.io/en/stable/messaging.html#kernel-info>

use serde::Serialize;

use super::Content;

/// Who the kernel is.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct KernelInfoReply {
    /// Always "ok".
    pub(crate) status: &'static str,
    /// The protocol's version.
    pub(crate) protocol_version: &'static str,
    /// The kernel's name.
    pub(crate) implementation: &'static str,
    /// The kernel's version.
    pub(crate) implementation_version: &'static str,
    /// The language of its cells.
    pub(crate) language_info: LanguageInfo,
    /// What a console shows at its start.
    pub(crate) banner: String,
    /// Deprecated by `supported_features`.
    pub(crate) debugger: bool,
    /// The protocol's optional features that are there: none.
    pub(crate) supported_features: Vec<&'static str>,
    /// Entries of the client's help menu.
    pub(crate) help_links: Vec<HelpLink>,
}

/// The language of the cells.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct LanguageInfo {
    /// Its name, which nbconvert and papermill look up.
    pub(crate) name: &'static str,
    /// The compiler's version.
    pub(crate) version: &'static str,
    /// Of a script.
    pub(crate) mimetype: &'static str,
    /// Of a script.
    pub(crate) file_extension: &'static str,
    /// Highlights exported notebooks.
    pub(crate) pygments_lexer: &'static str,
    /// Highlights cells.
    pub(crate) codemirror_mode: &'static str,
    /// Makes a script of a notebook.
    pub(crate) nbconvert_exporter: &'static str,
}

/// An entry of the client's help menu.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct HelpLink {
    /// Its title.
    pub(crate) text: &'static str,
    /// Where it leads.
    pub(crate) url: &'static str,
}

impl Content for KernelInfoReply {
    fn msg_type(&self) -> &str {
        "kernel_info_reply"
    }
}
