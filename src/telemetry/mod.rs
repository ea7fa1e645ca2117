//! What does the operator hear? The log, without secrets.

pub mod logging;
