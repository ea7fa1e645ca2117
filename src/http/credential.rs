//! How does a key travel, and how is it exchanged while the service runs?

use std::sync::{Arc, PoisonError, RwLock};

use reqwest::header::{HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use super::{HttpError, secret_header};

/// A secret that is sent in a header. Clones share it: exchanged in one, it is exchanged in all.
#[derive(Debug, Clone)]
pub struct Credential {
    /// What the operator calls it, for errors.
    name: &'static str,
    header: HeaderName,
    held: Arc<RwLock<Option<Held>>>,
}

#[derive(Debug, Clone)]
struct Held {
    secret: SecretString,
    value: HeaderValue,
}

impl Credential {
    /// Without a secret nothing is sent.
    pub fn new(
        name: &'static str,
        header: HeaderName,
        secret: Option<SecretString>,
    ) -> Result<Self, HttpError> {
        let held = secret.map(|secret| hold(name, secret)).transpose()?;
        Ok(Self { name, header, held: Arc::new(RwLock::new(held)) })
    }

    /// Uses another secret from the next request on. Returns whether it is another one.
    pub fn exchange(&self, secret: SecretString) -> Result<bool, HttpError> {
        if self.secret().is_some_and(|known| known.expose_secret() == secret.expose_secret()) {
            return Ok(false);
        }
        let fresh = hold(self.name, secret)?;
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = Some(fresh);
        Ok(true)
    }

    /// The header as it is sent now.
    pub fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        self.held().map(|held| (self.header.clone(), held.value))
    }

    pub fn secret(&self) -> Option<SecretString> {
        self.held().map(|held| held.secret)
    }

    fn held(&self) -> Option<Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn hold(name: &'static str, secret: SecretString) -> Result<Held, HttpError> {
    let value = secret_header(name, &secret)?;
    Ok(Held { secret, value })
}
