//! What does the service answer over HTTP? Takes webhooks and shows the state; it changes nothing else.

mod admission;
mod api;
pub mod auth;
mod correlation;
mod error;
pub mod holds;
pub mod letters;
pub mod plugin_source;
pub mod reviews;
mod routes;
pub mod server;
mod state;
pub mod status;
mod webhook;

pub use admission::Gate;
pub use state::WebState;
