//! `/metrics`, `/livez` and `/readyz`.

use std::future::{Future, IntoFuture};
use std::time::{Duration, UNIX_EPOCH};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use turnwise_model::Millis;
use turnwise_model::limits::SERVE_DRAIN_MS;

use crate::error::ServeError;
use crate::health::Health;

/// How often the recorder moves samples to histograms.
const UPKEEP: Duration = Duration::from_secs(5);
/// The text exposition format.
const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Serves metrics and probes until `shutdown`, and keeps the recorder's house meanwhile.
///
/// # Errors
/// A server that stops by itself.
pub async fn serve_http(
    listener: TcpListener,
    prometheus: PrometheusHandle,
    health: Health,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), ServeError> {
    let router = Router::new()
        .route("/metrics", get(metrics).with_state(prometheus.clone()))
        .route("/livez", get(livez).with_state(health.clone()))
        .route("/readyz", get(readyz).with_state(health));
    let (stop, stopped) = oneshot::channel::<()>();
    let server = axum::serve(listener, router)
        .with_graceful_shutdown(async move {
            // Dropped or sent: both mean stop.
            let _ = stopped.await;
        })
        .into_future();
    let conduct = async move {
        tokio::select! {
            () = shutdown => {}
            () = upkeep(&prometheus) => {}
        }
        // Nobody listens where the server stopped before.
        let _ = stop.send(());
        tokio::time::sleep(Duration::from_millis(SERVE_DRAIN_MS)).await;
    };
    tokio::select! {
        ended = server => ended.map_err(|error| ServeError::serve("HTTP", error)),
        () = conduct => Ok(()),
    }
}

/// Never ends.
async fn upkeep(prometheus: &PrometheusHandle) {
    let mut every = tokio::time::interval(UPKEEP);
    loop {
        every.tick().await;
        prometheus.run_upkeep();
    }
}

async fn metrics(State(prometheus): State<PrometheusHandle>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, EXPOSITION)], prometheus.render())
}

async fn livez(State(health): State<Health>) -> (StatusCode, String) {
    let stuck = health.stuck(now());
    if stuck.is_empty() {
        return (StatusCode::OK, "alive\n".to_owned());
    }
    (StatusCode::SERVICE_UNAVAILABLE, format!("stuck: {}\n", stuck.join(", ")))
}

async fn readyz(State(health): State<Health>) -> (StatusCode, String) {
    if health.is_ready() {
        return (StatusCode::OK, "ready\n".to_owned());
    }
    let parts = health.not_ready();
    let parts = if parts.is_empty() { "nothing started".to_owned() } else { parts.join(", ") };
    (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {parts}\n"))
}

/// The one place of this crate that reads the wall clock.
#[expect(clippy::disallowed_methods, reason = "heartbeats are compared with the time of a probe")]
fn now() -> Millis {
    let since = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
