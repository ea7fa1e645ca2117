//! How does the program say what it does?

pub mod logging;
pub mod redact;

pub use logging::{Color, Format, Guard, LogSettings, LoggingError, install};
pub use redact::{PathStyle, ShownPath};
