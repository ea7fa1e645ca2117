//! What keeps jobs from starting, whatever the job?

use crate::domain::circuit::Circuit;
use crate::domain::explain::Hold;
use crate::store::outages::{self, Outage};
use crate::store::{ReadConn, StoreError, steer};

/// Everything that holds, each in one sentence that says what would end it.
pub fn holds(reader: &mut impl ReadConn) -> Result<Vec<Hold>, StoreError> {
    let pause = steer::paused(reader)?;
    let pause = pause.map(|pause| {
        Hold(format!("the queue is {pause}: nothing new is started until `plexsync queue resume`"))
    });
    let going_on = |circuit| outages::going_on(reader, circuit);
    let outages: Vec<_> = Circuit::ALL.into_iter().map(going_on).collect::<Result<_, _>>()?;
    Ok(pause.into_iter().chain(outages.into_iter().flatten().map(of_outage)).collect())
}

fn of_outage(outage: Outage) -> Hold {
    let Outage { circuit, cause, detail, started_at, .. } = outage;
    Hold(format!(
        "{circuit} is held since {started_at} ({cause}): {detail}; it is asked again by itself, and nothing new is \
         started until it works"
    ))
}
