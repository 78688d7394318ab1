//! kernel_info_request's reply.
//! <https://jupyter-client.readthedocs.io/en/stable/messaging.html#kernel-info>

use serde::Serialize;

use super::Content;

/// Who the kernel is.
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
    /// What a console shows at its start.
    pub banner: String,
    /// Deprecated by `supported_features`.
    pub debugger: bool,
    /// The protocol's optional features that are there: none.
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
    /// Of a script.
    pub mimetype: &'static str,
    /// Of a script.
    pub file_extension: &'static str,
    /// Highlights exported notebooks.
    pub pygments_lexer: &'static str,
    /// Highlights cells.
    pub codemirror_mode: &'static str,
    /// Makes a script of a notebook.
    pub nbconvert_exporter: &'static str,
}

/// An entry of the client's help menu.
#[derive(Clone, Debug, Serialize)]
pub struct HelpLink {
    /// Its title.
    pub text: &'static str,
    /// Where it leads.
    pub url: &'static str,
}

impl Content for KernelInfoReply {
    fn msg_type(&self) -> &str {
        "kernel_info_reply"
    }
}
