//! Which jobs were given up, and why?

use diesel::prelude::*;
use jiff::Timestamp;

use super::StoreError;
use super::connection::{Connected, ReadConn, WriteTx};
use super::rows::{SCENE, Table, limit, millis};
use super::schema::dead_letters as letters;

use crate::domain::failure::Failure;
use crate::domain::ids::{CorrelationId, SceneId};
use crate::domain::job::Job;

/// Why a job was given up; open until an event or a person deals with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    pub id: i64,
    pub scene: SceneId,
    pub code: String,
    pub detail: String,
    /// The beginning of the peer's answer.
    pub answer: Option<String>,
    pub attempts: u32,
    pub buried_at: Timestamp,
    pub closed: Option<(Timestamp, Closed)>,
    pub correlation_id: CorrelationId,
}

/// How a dead letter ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// An event for the scene came and opened the job again.
    Superseded,
    /// A person had the job tried again.
    Retried,
    /// A person took the job away.
    Dropped,
}

impl Closed {
    const ALL: [Self; 3] = [Self::Superseded, Self::Retried, Self::Dropped];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Superseded => "superseded",
            Self::Retried => "retried",
            Self::Dropped => "dropped",
        }
    }
}

/// The letter of a scene that is dead now.
pub fn open_letter(conn: &mut impl ReadConn, scene: SceneId) -> Result<Option<DeadLetter>, StoreError> {
    let row = letters::table
        .filter(of_scene(scene).and(letters::closed_at.is_null()))
        .select(LetterRow::as_select())
        .get_result(conn.connection());
    row.optional()?.map(DeadLetter::try_from).transpose()
}

/// One letter, open or closed.
pub fn letter(conn: &mut impl ReadConn, id: i64) -> Result<Option<DeadLetter>, StoreError> {
    let row = letters::table.find(id).select(LetterRow::as_select()).get_result(conn.connection());
    row.optional()?.map(DeadLetter::try_from).transpose()
}

/// Which letters are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Letters<'a> {
    Open,
    OpenWithCode(&'a str),
    /// The closed ones as well.
    All,
}

/// Up to `rows` letters, the oldest first, after the one given.
pub fn letters(
    conn: &mut impl ReadConn,
    which: Letters<'_>,
    after: Option<i64>,
    rows: usize,
) -> Result<Vec<DeadLetter>, StoreError> {
    let page = letters::table
        .filter(letters::letter_id.gt(after.unwrap_or(0)))
        .order(letters::letter_id.asc())
        .limit(limit(rows))
        .select(LetterRow::as_select());
    let open = letters::closed_at.is_null();
    let found = match which {
        Letters::All => page.load(conn.connection()),
        Letters::Open => page.filter(open).load(conn.connection()),
        Letters::OpenWithCode(code) => page.filter(open.and(letters::code.eq(code))).load(conn.connection()),
    };
    found?.into_iter().map(DeadLetter::try_from).collect()
}

/// Writes the letter of a job that was just given up.
pub(super) fn bury(
    tx: &mut WriteTx<'_>,
    job: &Job,
    code: &str,
    failure: &Failure,
    now: Timestamp,
) -> Result<DeadLetter, StoreError> {
    let row = diesel::insert_into(letters::table)
        .values((
            letters::kind.eq(SCENE),
            letters::id.eq(job.scene.get()),
            letters::code.eq(code),
            letters::detail.eq(&failure.detail),
            letters::answer.eq(&failure.answer),
            letters::attempts.eq(i64::from(job.attempts)),
            letters::buried_at.eq(millis(now)),
            letters::correlation_id.eq(job.correlation_id.as_str()),
        ))
        .returning(LetterRow::as_returning())
        .get_result(tx.connection())?;
    row.try_into()
}

/// Closes the open letter of a scene, if there is one.
pub(super) fn close(
    tx: &mut WriteTx<'_>,
    scene: SceneId,
    closed: Closed,
    now: Timestamp,
) -> Result<(), StoreError> {
    diesel::update(letters::table.filter(of_scene(scene).and(letters::closed_at.is_null())))
        .set((letters::closed_at.eq(millis(now)), letters::closed_as.eq(closed.as_str())))
        .execute(tx.connection())?;
    Ok(())
}

#[diesel::dsl::auto_type(no_type_alias)]
fn of_scene(scene: SceneId) -> _ {
    let id: i64 = scene.get();
    let kind: &'static str = SCENE;
    letters::kind.eq(kind).and(letters::id.eq(id))
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = letters)]
struct LetterRow {
    letter_id: i64,
    id: i64,
    code: String,
    detail: String,
    answer: Option<String>,
    attempts: i64,
    buried_at: i64,
    closed_at: Option<i64>,
    closed_as: Option<String>,
    correlation_id: String,
}

impl TryFrom<LetterRow> for DeadLetter {
    type Error = StoreError;

    fn try_from(row: LetterRow) -> Result<Self, StoreError> {
        let table = Table("dead_letters");
        let closed_as = row.closed_as.map(|word| {
            let known = Closed::ALL.into_iter().find(|closed| closed.as_str() == word);
            known.ok_or_else(|| table.bad(&format!("no such way to close: {word:?}")))
        });
        Ok(Self {
            id: row.letter_id,
            scene: table.scene(row.id)?,
            code: row.code,
            detail: row.detail,
            answer: row.answer,
            attempts: table.count(row.attempts)?,
            buried_at: table.time(row.buried_at)?,
            closed: table.opt_time(row.closed_at)?.zip(closed_as.transpose()?),
            correlation_id: table.correlation(row.correlation_id)?,
        })
    }
}
