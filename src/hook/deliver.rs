//! How do events that were kept get delivered? By the next call that reaches the service, as far as its time goes.

use std::io::Write;
use std::time::Instant;

use super::SPOOLING;
use super::output::{Level, Voice};
use super::sender::{Reception, Sender};
use super::spool::{Backlog, Batch, Spool, SpoolError};

/// Delivers what waits. What is left comes with the next call, and so does all of it while another call delivers.
pub(super) fn empty<O: Write, E: Write>(spool: &Spool, sender: &Sender, voice: &mut Voice<O, E>) {
    match deliver_all(spool, sender, voice) {
        Ok(0) => {}
        Ok(delivered) => voice.log(Level::Info, &format!("delivered {delivered} events that had been kept")),
        Err(error) => voice.log(Level::Error, &format!("what was kept cannot be delivered: {error}")),
    }
}

fn deliver_all<O: Write, E: Write>(
    spool: &Spool,
    sender: &Sender,
    voice: &mut Voice<O, E>,
) -> Result<usize, SpoolError> {
    let Some(backlog) = spool.backlog()? else { return Ok(0) };
    let mut delivered = 0;
    while sender.has_time() {
        let batch = backlog.head(Instant::now() + SPOOLING)?;
        if batch.lines.is_empty() {
            break;
        }
        match sender.send(&batch.as_array()) {
            Reception::Taken => delivered += batch.lines.len(),
            // One bad event makes the service refuse all: each goes by itself, so that it blocks none.
            Reception::Refused(_) => {
                let singly = deliver_singly(spool, &backlog, sender, &batch, voice)?;
                delivered += singly.delivered;
                if singly.is_done {
                    continue;
                }
                break;
            }
            Reception::NotNow(_) | Reception::Denied(_) => break,
        }
        backlog.cut(batch.end(), Instant::now() + SPOOLING)?;
    }
    Ok(delivered)
}

struct Singly {
    delivered: usize,
    /// Whether the service has said something about every event.
    is_done: bool,
}

fn deliver_singly<O: Write, E: Write>(
    spool: &Spool,
    backlog: &Backlog<'_>,
    sender: &Sender,
    batch: &Batch,
    voice: &mut Voice<O, E>,
) -> Result<Singly, SpoolError> {
    let (mut delivered, mut dealt_with) = (0, 0);
    for line in &batch.lines {
        match sender.send(&line.text) {
            Reception::Taken => delivered += 1,
            Reception::Refused(why) => {
                spool.set_aside(&line.text, &why, Instant::now() + SPOOLING)?;
                voice.log(Level::Error, &format!("an event that was kept is refused and set aside: {why}"));
            }
            Reception::NotNow(_) | Reception::Denied(_) => break,
        }
        dealt_with = line.end;
    }
    backlog.cut(dealt_with, Instant::now() + SPOOLING)?;
    Ok(Singly { delivered, is_done: dealt_with == batch.end() })
}
