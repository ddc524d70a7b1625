//! Services with heartbeats, whose liveness is wherever their link says (MEC 011, 8.2.10.1, leaves its URI open).

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{AGREES, COUNTS};
use crate::checks::notifications::scene::{Scene, Service};
use crate::suite::{Call, Context, Exchange, Failure, Linked, Outcome, Role, Stop, Suite, follow};

/// The operations by which services are heard of.
#[derive(Clone, Copy, Debug)]
pub(in crate::checks) struct Lively {
    pub(in crate::checks) scene: Scene,
    /// `GET …/liveness`.
    pub(in crate::checks) read: usize,
    /// `PATCH …/liveness`.
    pub(in crate::checks) beat: usize,
}

impl Lively {
    /// Those of an API; none where it has none.
    pub(in crate::checks) fn of(suite: &Suite, api: usize) -> Option<Self> {
        let path = "/applications/{appInstanceId}/services/{serviceId}/liveness";
        let find = |method: &str| {
            let operation = suite.apis[api].api.operation(method, path);
            operation.map(|operation| operation.index)
        };
        Some(Lively {
            scene: Scene::of(suite, api)?,
            read: find("GET")?,
            beat: find("PATCH")?,
        })
    }

    /// Registers a service that offers heartbeats.
    pub(in crate::checks) async fn register(
        &self,
        context: &mut Context,
        name: &str,
        interval: u64,
    ) -> Result<Watched, Stop> {
        let sent = Instant::now();
        let mut service = self
            .scene
            .register(context, name, |body| body["livenessInterval"] = json!(interval))
            .await?;
        service.changed = None;
        let answered = &service.made.answered;
        let Some(granted) = answered["livenessInterval"]
            .as_u64()
            .filter(|granted| *granted > 0)
        else {
            return Err(Stop::NotApplicable(
                "the platform asks for no heartbeats of a service that offers them".to_owned(),
            ));
        };
        let suite = Arc::clone(&context.suite);
        let link = answered.pointer("/_links/liveness/href").and_then(Value::as_str);
        let Some(link) = link else {
            return Err(Failure::new(
                "a service with livenessInterval has no link to its liveness",
                "_links.liveness",
                answered.to_string(),
            )
            .of(AGREES.id)
            .stop());
        };
        let read = Call {
            api: self.scene.api,
            ..Call::default()
        };
        let linked = follow(&suite, read, link)?;
        Ok(Watched {
            lively: *self,
            service,
            granted: Duration::from_secs(granted),
            sent,
            linked,
        })
    }
}

/// A service that the platform watches.
pub(in crate::checks) struct Watched {
    pub(super) lively: Lively,
    pub(in crate::checks) service: Service,
    /// The interval that the platform asks for.
    pub(super) granted: Duration,
    /// When its registration was sent.
    pub(super) sent: Instant,
    /// A request to its liveness.
    linked: Linked,
}

impl Watched {
    pub(super) fn api(&self) -> usize {
        self.lively.scene.api
    }

    pub(super) fn call(&self, operation: usize, method: &str) -> Call {
        Call {
            operation: Some(operation),
            method: method.to_owned(),
            ..self.linked.call.clone()
        }
    }

    /// What keeps an answer from saying anything: 404 where the link may lead to somebody else.
    fn told(&self, exchange: &Exchange) -> Outcome {
        match self.linked.doubt.as_ref().filter(|_| exchange.status() == 404) {
            Some(doubt) => Err(Stop::Inconclusive(format!("{doubt}: {}", exchange.summary()))),
            None => Ok(()),
        }
    }

    /// Reads the liveness.
    pub(in crate::checks) async fn liveness(&self, context: &mut Context) -> Result<Value, Stop> {
        let exchange = self.reading(context).await?;
        self.readable(&exchange)
    }

    /// Asks for the liveness.
    pub(super) async fn reading(&self, context: &mut Context) -> Result<Exchange, Stop> {
        context.send(self.call(self.lively.read, "GET")).await
    }

    /// The liveness in an answer.
    pub(super) fn readable(&self, exchange: &Exchange) -> Result<Value, Stop> {
        self.told(exchange)?;
        let title = "the liveness of a service with heartbeats can't be read";
        readable(exchange, title)
    }

    /// Reads the service.
    pub(in crate::checks) async fn read(&self, context: &mut Context) -> Result<Value, Stop> {
        let scene = self.lively.scene;
        let call = context.call(scene.api, scene.read, &self.service.made.values);
        let exchange = context.send(call.role(Role::Control)).await?;
        readable(&exchange, "a service that was registered can't be read")
    }

    /// Sends a heartbeat.
    pub(in crate::checks) async fn beat(&self, context: &mut Context) -> Outcome {
        let call = self
            .call(self.lively.beat, "PATCH")
            .json(json!({"state": "ACTIVE"}));
        let exchange = context.send(call).await?;
        self.told(&exchange)?;
        match (exchange.is_success(), exchange.status()) {
            (true, _) => Ok(()),
            (false, 401 | 403 | 429 | 503) => Err(Stop::Inconclusive(format!(
                "a heartbeat was answered {}; give credentials that may send it",
                exchange.summary()
            ))),
            _ => Err(
                Failure::new("a heartbeat is refused", "200 or 204", exchange.summary())
                    .of(COUNTS.id)
                    .shown_by(&exchange.call)
                    .stop(),
            ),
        }
    }

    /// How long it may take at most until a silent service is suspended, if there is time for that.
    pub(super) fn latest(&self, context: &Context) -> Result<Duration, Stop> {
        let latest = self.granted * 2 + Duration::from_secs(3);
        if latest > context.suite.options.clock.expiry {
            return Err(Stop::Inconclusive(format!(
                "the platform asks for a heartbeat every {} s; give --clock {}s to wait long enough",
                self.granted.as_secs(),
                latest.as_secs()
            )));
        }
        Ok(latest)
    }
}

fn readable(exchange: &Exchange, title: &str) -> Result<Value, Stop> {
    match exchange.json().filter(|_| exchange.is_success()) {
        Some(body) => Ok(body),
        None if matches!(exchange.status(), 401 | 403 | 429 | 503) => Err(Stop::Inconclusive(format!(
            "GET was answered {}; give credentials that may read it",
            exchange.summary()
        ))),
        None => Err(Failure::new(title, "200 with a JSON object", exchange.summary()).stop()),
    }
}
