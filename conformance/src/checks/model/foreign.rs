//! Steps of one application at what belongs to another one, which must stay as it is.

use super::content;
use super::judge::Wrong;
use super::machine::Machine;
use super::sequence::Step;
use crate::suite::{Outcome, Values};

/// How one application asks for what is another's.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Below its own path, with its own credentials.
    OwnPath,
    /// Below the owner's path, with its own credentials.
    OwnCredentials,
    /// Below its own path, with the owner's credentials: who has two applications does not mix them up.
    OwnersCredentials,
}

impl Machine<'_> {
    /// Asks as another application, or below its path, for an object, which must stay as it is.
    pub(super) async fn foreign(&mut self, step: Step) -> Outcome {
        let Some(at) = self.pick(step, true).filter(|_| self.bases.len() > 1) else {
            return Ok(());
        };
        let apart = self.context.suite.tells_applications_apart();
        let way = match step.content % 3 {
            1 if apart => Way::OwnCredentials,
            2 if apart => Way::OwnersCredentials,
            _ => Way::OwnPath,
        };
        let owner = self.objects[at].base;
        let mut values = self.objects[at].values.clone();
        if way != Way::OwnCredentials {
            values.extend(self.bases[1 - owner].clone());
            let operations = &self.context.suite.apis[self.family.api].api.operations;
            let path = operations[self.family.gets[0]].path.expand(&values);
            if self.objects.iter().any(|object| object.path == path) {
                return Ok(()); // Identifiers are counted for each application: it is another object's path.
            }
        }
        let who = match way {
            Way::OwnersCredentials => owner,
            Way::OwnPath | Way::OwnCredentials => 1 - owner,
        };
        let readable = way == Way::OwnCredentials && self.family.public;
        if !readable && self.reads(at, &values, (who, way)).await? {
            return Ok(());
        }
        self.changes(step, &values, who).await?;
        self.read_one(at, 0).await
    }

    /// Reads the object; whether something else is there.
    async fn reads(
        &mut self,
        at: usize,
        values: &Values,
        (who, way): (usize, Way),
    ) -> Result<bool, crate::suite::Stop> {
        let get = self.family.gets[0];
        let exchange = self.send(self.call(get, values, who)).await?;
        let Some(read) = exchange.json().filter(|_| exchange.status() == 200) else {
            return Ok(false);
        };
        let object = &self.objects[at];
        if !self.judging(|judge| judge.is(object, &read)) {
            return Ok(true);
        }
        let (signature, title) = match way {
            Way::OwnCredentials => (
                "read with other credentials",
                "an object can be read with another application's credentials",
            ),
            _ => (
                "read by another application",
                "an object can be read below another application's path",
            ),
        };
        let wrong = Wrong::new(signature, title, "404 or 403", exchange.summary());
        Err(self.fail(get, wrong))
    }

    /// Tries to replace, to change or to remove it.
    async fn changes(&mut self, step: Step, values: &Values, who: usize) -> Outcome {
        let number = step.content / 3;
        match (number % 2, self.family.put, self.family.delete) {
            (0, Some(put), _) => {
                let body = content::body(self.context, self.family, put, values, step.content)?;
                self.send(self.call(put, values, who).json(body)).await?;
            }
            (_, _, Some(delete)) => {
                self.send(self.call(delete, values, who)).await?;
            }
            _ => {}
        }
        Ok(())
    }
}
