//! Which few values does the service remember about itself, such as its client id?

use diesel::prelude::*;

use super::StoreError;
use super::connection::{Connected, ReadConn, WriteTx};
use super::schema::settings;

/// The id under which Plex knows this installation. A new one with each start would be a new device each time.
pub const CLIENT_ID: &str = "client_id";
/// The Plex server that the path index belongs to.
pub const MACHINE: &str = "machine_id";

/// The value under the key, if one was put.
pub fn get(conn: &mut impl ReadConn, key: &str) -> Result<Option<String>, StoreError> {
    let value = settings::table.find(key).select(settings::value).get_result(conn.connection());
    Ok(value.optional()?)
}

/// Puts a value, in place of the one before.
pub fn put(tx: &mut WriteTx<'_>, key: &str, value: &str) -> Result<(), StoreError> {
    diesel::replace_into(settings::table)
        .values((settings::key.eq(key), settings::value.eq(value)))
        .execute(tx.connection())?;
    Ok(())
}

/// Forgets a value.
pub fn remove(tx: &mut WriteTx<'_>, key: &str) -> Result<(), StoreError> {
    diesel::delete(settings::table.find(key)).execute(tx.connection())?;
    Ok(())
}

/// The value under the key; the first one who asks puts `fresh` there, and it stays.
pub fn get_or_put(tx: &mut WriteTx<'_>, key: &str, fresh: &str) -> Result<String, StoreError> {
    match get(tx, key)? {
        Some(known) => Ok(known),
        None => put(tx, key, fresh).map(|()| fresh.to_owned()),
    }
}
