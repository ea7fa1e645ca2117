//! Which tokens did the service make for itself? Two that open one thing each, made once and kept.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::CryptoRng;
use secrecy::SecretString;

use super::connection::{ReadConn, WriteTx};
use super::{StoreError, settings};

const HOOK: &str = "hook_token";
const PLUGIN: &str = "plugin_token";
/// Nobody guesses 192 bits.
const BYTES: usize = 24;

/// The tokens that open one thing each. They travel to Stash, which the service's own token never does.
#[derive(Debug, Clone)]
pub struct NarrowTokens {
    /// Stands in the plugin that Stash gets: posts events.
    pub hook: SecretString,
    /// Stands in the address of the plugin source: reads it.
    pub plugin: SecretString,
}

/// The tokens of this database, which are made at the first call.
pub fn narrow(tx: &mut WriteTx<'_>, rng: &mut impl CryptoRng) -> Result<NarrowTokens, StoreError> {
    Ok(NarrowTokens { hook: kept(tx, HOOK, rng)?, plugin: kept(tx, PLUGIN, rng)? })
}

/// The tokens of this database; nothing before the service has run for the first time.
pub fn known(reader: &mut impl ReadConn) -> Result<Option<NarrowTokens>, StoreError> {
    let hook = settings::get(reader, HOOK)?.map(SecretString::from);
    let plugin = settings::get(reader, PLUGIN)?.map(SecretString::from);
    Ok(hook.zip(plugin).map(|(hook, plugin)| NarrowTokens { hook, plugin }))
}

fn kept(tx: &mut WriteTx<'_>, key: &str, rng: &mut impl CryptoRng) -> Result<SecretString, StoreError> {
    let mut bytes = [0; BYTES];
    rng.fill_bytes(&mut bytes);
    // As it can stand in a header, in YAML and in a query.
    settings::get_or_put(tx, key, &URL_SAFE_NO_PAD.encode(bytes)).map(SecretString::from)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;
    use secrecy::ExposeSecret as _;

    use super::*;
    use crate::store::Writer;

    fn shown(writer: &mut Writer, seed: u64) -> [String; 2] {
        let tokens = writer.write(|tx| narrow(tx, &mut StdRng::seed_from_u64(seed))).unwrap();
        [tokens.hook, tokens.plugin].map(|token| token.expose_secret().to_owned())
    }

    #[test]
    fn tokens_are_made_once_and_two_databases_have_different_ones() {
        let folder = tempfile::tempdir().unwrap();
        let open = |name: &str| crate::store::open(&folder.path().join(name)).unwrap();
        open("a.db");
        let mut reader = crate::store::Reader::open(&folder.path().join("a.db")).unwrap();
        assert!(known(&mut reader).unwrap().is_none());
        let first = shown(&mut open("a.db"), 1);
        assert_eq!(shown(&mut open("a.db"), 2), first);
        assert_eq!(known(&mut reader).unwrap().unwrap().hook.expose_secret(), first[0]);
        let other = shown(&mut open("b.db"), 3);
        let all: std::collections::BTreeSet<_> = first.iter().chain(&other).collect();
        assert_eq!(all.len(), 4);
        for token in all {
            assert_eq!(token.len(), 32);
            assert!(
                token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)),
                "{token}"
            );
        }
    }
}
