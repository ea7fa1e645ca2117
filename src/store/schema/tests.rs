//! The schema drift check: `schema.rs` says the same as the migrations.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::super::tests::Database;

/// A column as both sides can say it: type, nullability, and place in the primary key (0 for none).
#[derive(Debug, PartialEq, Eq, QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = BigInt)]
    required: i64,
    #[diesel(sql_type = BigInt)]
    key: i64,
}

type Tables = BTreeMap<String, Vec<Column>>;

#[test]
fn every_table_is_described_as_the_migrations_make_it() {
    const QUERY: &str = "SELECT t.name AS table_name, c.name AS name, c.type AS kind,
        c.\"notnull\" AS required, c.pk AS key
        FROM sqlite_schema t, pragma_table_info(t.name) c
        WHERE t.type = 'table' AND t.name NOT LIKE '\\_\\_%' ESCAPE '\\' ORDER BY t.name, c.cid";
    let mut db = Database::new();
    let mut migrated = Tables::new();
    for column in diesel::sql_query(QUERY).load::<Column>(db.writer.raw()).unwrap() {
        migrated.entry(column.table_name.clone()).or_default().push(column);
    }
    let described = described(include_str!("../schema.rs"));
    assert!(!described.is_empty());
    assert_eq!(described.keys().collect::<Vec<_>>(), migrated.keys().collect::<Vec<_>>());
    for (table, columns) in &described {
        assert_eq!(columns, &migrated[table], "left: schema.rs, right: migrations");
    }
}

/// Reads the `table!` blocks, which have one form only.
fn described(source: &str) -> Tables {
    let mut tables = Tables::new();
    for block in source.split("diesel::table! {").skip(1) {
        let (head, body) = block.split_once(") {").unwrap();
        let (table, keys) = head.trim().split_once(" (").unwrap();
        let keys: Vec<_> = keys.split(", ").collect();
        let columns = body.lines().filter_map(|line| line.trim().strip_suffix(',')?.split_once(" -> "));
        let columns = columns.map(|(name, kind)| {
            let inner = kind.strip_prefix("Nullable<").and_then(|kind| kind.strip_suffix('>'));
            Column {
                table_name: table.to_owned(),
                name: name.to_owned(),
                kind: stored_as(inner.unwrap_or(kind)).to_owned(),
                required: inner.is_none().into(),
                key: keys
                    .iter()
                    .position(|key| *key == name)
                    .map_or(0, |place| i64::try_from(place + 1).unwrap()),
            }
        });
        tables.insert(table.to_owned(), columns.collect());
    }
    tables
}

fn stored_as(kind: &str) -> &'static str {
    match kind {
        "BigInt" | "Bool" => "INTEGER",
        "Text" => "TEXT",
        "Double" => "REAL",
        other => panic!("a type that no table uses yet: {other}"),
    }
}
