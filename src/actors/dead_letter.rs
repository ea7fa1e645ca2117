//! Who tells the operator that a job was given up?

use actix::{Actor, Context, Handler};

use super::messages::Buried;
use crate::supervision::Watch;

/// Hears of buried jobs. The letter itself is in the database already; this is the notice.
pub struct DeadLetter {
    pub watch: Watch,
}

impl Actor for DeadLetter {
    type Context = Context<Self>;
}

impl Handler<Buried> for DeadLetter {
    type Result = ();

    fn handle(&mut self, buried: Buried, _: &mut Context<Self>) {
        let Buried { scene, letter, code, detail, correlation_id } = buried;
        tracing::error!(
            scene.id = %scene, correlation.id = %correlation_id, letter.id = letter, code,
            "gave up on scene {scene}: {detail}; `plexsync dead retry {letter}` tries it again"
        );
    }
}

crate::supervised!(DeadLetter);
