//! Identities of pure calls: the same function with the same arguments.
//!
//! A function is identified by its type, but that is not enough. To the compiler, every cell
//! is the same crate, so that types of one cell are known in the next. Therefore a function
//! that is defined again has the type of the old one. But each cell is a library of its own,
//! which stays loaded, so the identity is the type within its library. The same function
//! in another cell counts as a different one, because it may call something that was
//! redefined in between.
//!
//! Functions that contain data (closures that capture, function pointers) have no identity,
//! because their data cannot be compared.

use super::argument::Argument;
use super::call::{CallInput, Callable};
use crate::graph::{Fingerprint, LayerId, Value};
use std::any::TypeId;
use std::hash::{Hash, Hasher};
use std::sync::LazyLock;

/// The distinguishing properties of a function.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Code {
    function: TypeId,
    /// The address of the code that calls the function with values.
    address: usize,
    /// Whether a returned `Result` is unwrapped, or is itself the value.
    is_fallible: bool,
    /// The size of the data in the function, in bytes.
    pub(super) nbytes: usize,
    needs_drop: bool,
}

impl Code {
    pub(super) fn of<F: Callable<Args>, Args>(is_fallible: bool) -> Self {
        Self {
            function: TypeId::of::<F>(),
            address: F::invoke as *const () as usize,
            is_fallible,
            nbytes: size_of::<F>(),
            needs_drop: std::mem::needs_drop::<F>(),
        }
    }

    /// Returns whether all functions with this code are the same, because they contain no data.
    pub(super) fn is_stateless(&self) -> bool {
        self.nbytes == 0 && !self.needs_drop
    }

    /// Returns the function's identity, if it contains no data.
    pub(super) fn identity(&self, name: &str) -> Option<LayerId> {
        static PROCESS: LazyLock<LayerId> = LazyLock::new(LayerId::unique);
        if !self.is_stateless() {
            return None;
        }
        let mut fingerprint = Fingerprint::new();
        fingerprint
            .layer(*PROCESS)
            .text(&format!("{:?}", self.function))
            .bytes(&library(self.address).to_le_bytes())
            .bytes(&[u8::from(self.is_fallible)])
            .text(name);
        Some(fingerprint.layer_id())
    }
}

impl Hash for Code {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64((self.address as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    }
}

/// Returns the start of the library that contains an address, or the address itself if the
/// library is not known.
fn library(address: usize) -> usize {
    let mut found = libc::Dl_info {
        dli_fname: std::ptr::null(),
        dli_fbase: std::ptr::null_mut(),
        dli_sname: std::ptr::null(),
        dli_saddr: std::ptr::null_mut(),
    };
    // SAFETY: `dladdr` accepts any address, and `found` can be written to.
    let is_found = unsafe { libc::dladdr(address as *const libc::c_void, &raw mut found) } != 0;
    if is_found {
        found.dli_fbase as usize
    } else {
        address
    }
}

/// Returns the identity of a call, or `None` if a literal has no encoding.
pub(super) fn call(function: LayerId, arguments: &[Argument]) -> Option<LayerId> {
    let mut fingerprint = Fingerprint::new();
    fingerprint.text("call").layer(function);
    for argument in arguments {
        add(&mut fingerprint, argument.source())?;
    }
    Some(fingerprint.layer_id())
}

fn add(fingerprint: &mut Fingerprint, argument: &CallInput) -> Option<()> {
    match argument {
        CallInput::Literal(value) => add_value(fingerprint.text("value"), value)?,
        CallInput::Task(layer) => {
            fingerprint.text("task").layer(layer.id());
        }
        CallInput::Key(..) => return None,
        CallInput::List(items, _) => {
            let length = items.len() as u64;
            fingerprint.text("list").bytes(&length.to_le_bytes());
            for item in items {
                add(fingerprint, item)?;
            }
        }
    }
    Some(())
}

fn add_value(fingerprint: &mut Fingerprint, value: &Value) -> Option<()> {
    fingerprint.text(value.codec()?.tag);
    fingerprint.written(|to| value.encode_to(to)).ok()?;
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_is_told_from_others() {
        let here = library(a_library_is_told_from_others as *const () as usize);
        let also_here = library(library as *const () as usize);
        let elsewhere = library(libc::getpid as *const () as usize);
        assert_eq!(here, also_here);
        assert_ne!(here, elsewhere);
        assert_eq!(library(1), 1);
    }
}
