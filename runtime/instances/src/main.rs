//! The process that holds a notebook's values. The kernel starts it.

fn main() {
    // The library must be loaded before the first cell that links to it.
    swath_instances::link();
    swath::session::host::main()
}
