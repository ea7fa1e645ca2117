//! Which small facts outlive a restart? The client id, the known server, and the like.

use diesel::prelude::*;

use super::schema::settings::dsl;
use super::{ReadConnection, StoreError, WriteTx};

/// The id under which Plex knows this installation. A new one with each start would be a new device each time.
pub const CLIENT_ID: &str = "client_id";
/// The server that the path index belongs to.
pub const MACHINE: &str = "machine";

pub fn get(connection: &mut impl ReadConnection, key: &str) -> Result<Option<String>, StoreError> {
    let value = dsl::settings.find(key).select(dsl::value).first(connection.connection());
    Ok(value.optional()?)
}

pub fn put(tx: &mut WriteTx<'_>, key: &str, value: &str) -> Result<(), StoreError> {
    let row = (dsl::key.eq(key), dsl::value.eq(value));
    let insert = diesel::insert_into(dsl::settings).values(row);
    insert.on_conflict(dsl::key).do_update().set(dsl::value.eq(value)).execute(tx.connection())?;
    Ok(())
}
