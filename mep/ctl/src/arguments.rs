//! The arguments of `mepctl`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use mec011_service_management::{LocalityType, ServiceState};

/// Looks after a MEC platform: services, applications, subscriptions, rules, notifications, time
#[derive(Debug, Parser)]
#[command(
    name = "mepctl",
    version,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 done, 1 refused or failed, 2 the arguments or a file are wrong."
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) connection: Connection,
    /// Print JSON, for scripts
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Args, Debug)]
pub(crate) struct Connection {
    /// The platform's address
    #[arg(
        long,
        global = true,
        env = "MEP_URL",
        hide_env_values = true,
        default_value = "http://127.0.0.1:8080"
    )]
    pub(crate) url: String,
    /// Trust the certificate authorities in this PEM file as well
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "MEP_CA_CERTIFICATE",
        hide_env_values = true
    )]
    pub(crate) ca_certificate: Option<PathBuf>,
    /// How many seconds one request may take
    #[arg(long, global = true, value_name = "SECONDS", default_value = "30", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) timeout: u64,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Services that applications offer
    #[command(subcommand)]
    Services(Services),
    /// Application instances
    #[command(subcommand)]
    Apps(Apps),
    /// Subscriptions of applications
    #[command(subcommand)]
    Subscriptions(Subscriptions),
    /// DNS rules
    #[command(subcommand)]
    Dns(Dns),
    /// Traffic rules
    #[command(subcommand)]
    Traffic(Traffic),
    /// Deliveries of notifications, and those that were given up
    #[command(subcommand)]
    Notifications(Notifications),
    /// The platform's clock and its sources
    Time,
    /// Print a script that completes mepctl's commands in a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Services {
    /// List services
    List(ServiceFilter),
    /// Show one service
    Get {
        /// The service's identifier (serInstanceId)
        service: String,
    },
    /// Follow changes until interrupted
    Watch {
        #[command(flatten)]
        filter: ServiceFilter,
        /// Look this often where the platform offers no events
        #[arg(long, value_name = "SECONDS", default_value = "2", value_parser = clap::value_parser!(u64).range(1..=3600))]
        interval: u64,
        /// End after so many changes
        #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
        changes: Option<u64>,
    },
    /// Register a service of an application instance
    Register {
        /// The application instance
        app: String,
        /// The service as ETSI's ServiceInfo in YAML or JSON; - for standard input
        file: PathBuf,
    },
    /// Remove a service of an application instance
    Delete {
        /// The application instance
        app: String,
        /// The service's identifier (serInstanceId)
        service: String,
    },
}

#[derive(Args, Clone, Debug, Default)]
pub(crate) struct ServiceFilter {
    /// Only services of this application instance
    #[arg(long, value_name = "APP")]
    pub(crate) app: Option<String>,
    /// Only services of this name; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Vec<String>,
    /// Only the services of these identifiers; may be repeated
    #[arg(long, value_name = "SERVICE", conflicts_with = "name")]
    pub(crate) id: Vec<String>,
    /// Only services of the category of this identifier
    #[arg(long, value_name = "CATEGORY", conflicts_with_all = ["name", "id"])]
    pub(crate) category: Option<String>,
    /// Only services of this scope of locality, for example MEC_HOST
    #[arg(long, value_name = "SCOPE")]
    pub(crate) scope: Option<LocalityType>,
    /// Only services that may (or may not) be used from elsewhere
    #[arg(long, value_name = "BOOL")]
    pub(crate) consumed_local_only: Option<bool>,
    /// Only services that are (or are not) on the same host
    #[arg(long, value_name = "BOOL")]
    pub(crate) local: Option<bool>,
    /// Only services in this state: ACTIVE, INACTIVE or SUSPENDED
    #[arg(long, value_name = "STATE")]
    pub(crate) state: Option<ServiceState>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Apps {
    /// List application instances
    List,
    /// Show one application instance
    Get {
        /// The application instance
        app: String,
    },
    /// Register an application instance
    Register {
        /// The application as ETSI's AppInfo in YAML or JSON; - for standard input
        file: PathBuf,
    },
    /// Deregister an application instance: its services and subscriptions go with it
    Delete {
        /// The application instance
        app: String,
    },
    /// Have a manager end an application instance, which is told before
    Terminate {
        /// The application instance
        app: String,
        /// What the end leads to
        #[arg(long, value_enum, default_value = "terminating")]
        action: EndAction,
        /// How many seconds the application has to confirm
        #[arg(long, value_name = "SECONDS", default_value = "0")]
        grace: u64,
        /// Wait until it has ended
        #[arg(long)]
        wait: bool,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum EndAction {
    /// It may start again
    Stopping,
    /// It is gone
    Terminating,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SubscriptionKind {
    /// To services that come, change and go
    Availability,
    /// To the end of the application instance itself
    Termination,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Subscriptions {
    /// List the subscriptions of an application instance
    List {
        /// The application instance
        app: String,
        /// Only those of this kind
        #[arg(long, value_enum)]
        kind: Option<SubscriptionKind>,
    },
    /// Subscribe for an application instance
    Create(NewSubscription),
    /// End a subscription
    Delete {
        /// The application instance
        app: String,
        /// The subscription's identifier
        subscription: String,
        /// Its kind; if absent both are tried
        #[arg(long, value_enum)]
        kind: Option<SubscriptionKind>,
    },
}

#[derive(Args, Debug)]
pub(crate) struct NewSubscription {
    /// The application instance
    pub(crate) app: String,
    /// Where notifications go: an absolute http or https URL
    #[arg(long, value_name = "URL")]
    pub(crate) callback: String,
    /// To what
    #[arg(long, value_enum, default_value = "availability")]
    pub(crate) kind: SubscriptionKind,
    /// Only of services of this name; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Vec<String>,
    /// Only of the services of these identifiers; may be repeated
    #[arg(long, value_name = "SERVICE", conflicts_with = "name")]
    pub(crate) id: Vec<String>,
    /// Only of services in this state; may be repeated
    #[arg(long, value_name = "STATE")]
    pub(crate) state: Vec<ServiceState>,
    /// Only of services that are (or are not) on the same host
    #[arg(long, value_name = "BOOL")]
    pub(crate) local: Option<bool>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Dns {
    /// List the DNS rules of an application instance, or of all
    List {
        /// The application instance
        app: Option<String>,
    },
    /// Show one DNS rule
    Get(Rule),
    /// Have the name server answer by a rule
    Activate(Rule),
    /// Have the name server no longer answer by a rule
    Deactivate(Rule),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Traffic {
    /// List the traffic rules of an application instance, or of all
    List {
        /// The application instance
        app: Option<String>,
    },
    /// Show one traffic rule
    Get(Rule),
    /// Put a rule in force
    Activate(Rule),
    /// Take a rule out of force
    Deactivate(Rule),
    /// Show what rules in force have matched
    Counters {
        /// The application instance; all if absent
        app: Option<String>,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Rule {
    /// The application instance
    pub(crate) app: String,
    /// The rule's identifier
    pub(crate) rule: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Notifications {
    /// Show how deliveries are going
    List {
        /// Only for subscriptions of this application instance
        #[arg(long, value_name = "APP")]
        app: Option<String>,
    },
    /// List notifications that were given up
    Dead {
        /// Only for subscriptions of this application instance
        #[arg(long, value_name = "APP")]
        app: Option<String>,
    },
    /// Deliver again what was given up
    Replay(Letters),
    /// Forget what was given up
    Discard(Letters),
}

#[derive(Args, Debug)]
pub(crate) struct Letters {
    /// The subscription's key, as list and dead show it
    #[arg(required_unless_present = "all")]
    pub(crate) subscription: Option<String>,
    /// One notification; all of the subscription if absent
    #[arg(requires = "subscription")]
    pub(crate) notification: Option<String>,
    /// Those of all subscriptions
    #[arg(long, conflicts_with = "subscription")]
    pub(crate) all: bool,
}
