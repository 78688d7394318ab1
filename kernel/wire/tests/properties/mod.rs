//! What holds of any bytes whatever: shared by the tests and the fuzz targets.

pub(crate) mod message;
pub(crate) mod stream;
