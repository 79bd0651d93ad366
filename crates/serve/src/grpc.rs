//! The gRPC server: the service with its limits, health and reflection.
//!
//! ```text
//! start ─▶ "" SERVING ─ first publication ─▶ service SERVING ─ shutdown ─▶ both NOT_SERVING, drain
//! ```

use std::future::{Future, pending};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tonic::codec::CompressionEncoding;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;
use turnwise_model::limits::{
    GRPC_HEADER_BYTES_MAX, GRPC_KEEPALIVE_MS, GRPC_REQUEST_BYTES_MAX, GRPC_STREAMS_MAX,
    GRPC_TIMEOUT_MS, SERVE_DRAIN_MS,
};

use crate::board::Board;
use crate::error::ServeError;
use crate::proto::FILE_DESCRIPTOR_SET;
use crate::proto::flagged_senders_server::{FlaggedSendersServer, SERVICE_NAME};
use crate::service::Service;

/// The name of the whole server in health checks.
const SERVER: &str = "";

/// Serves the board until `shutdown`, then waits for open calls, at most the drain's time.
///
/// # Errors
/// Descriptors that reflection cannot read, or a server that stops by itself.
pub async fn serve_grpc(
    listener: TcpListener,
    board: Board,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), ServeError> {
    let health = HealthReporter::new();
    health.set_service_status(SERVER, ServingStatus::Serving).await;
    health.set_service_status(SERVICE_NAME, ServingStatus::NotServing).await;
    let service = FlaggedSendersServer::new(Service::new(board.clone()))
        .max_decoding_message_size(GRPC_REQUEST_BYTES_MAX)
        .accept_compressed(CompressionEncoding::Gzip)
        .send_compressed(CompressionEncoding::Gzip);
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let set_up = |error| ServeError::set_up("gRPC reflection", error);
    let (stop, stopped) = oneshot::channel::<()>();
    let server = Server::builder()
        .timeout(Duration::from_millis(GRPC_TIMEOUT_MS))
        .max_concurrent_streams(GRPC_STREAMS_MAX)
        .http2_max_header_list_size(GRPC_HEADER_BYTES_MAX)
        .http2_keepalive_interval(Some(Duration::from_millis(GRPC_KEEPALIVE_MS)))
        .http2_keepalive_timeout(Some(Duration::from_millis(GRPC_KEEPALIVE_MS)))
        .add_service(service)
        .add_service(tonic_health::pb::health_server::HealthServer::new(
            tonic_health::server::HealthService::from_health_reporter(health.clone()),
        ))
        .add_service(reflection().build_v1().map_err(set_up)?)
        .add_service(reflection().build_v1alpha().map_err(set_up)?)
        .serve_with_incoming_shutdown(
            TcpIncoming::from(listener).with_nodelay(Some(true)),
            async move {
                // Dropped or sent: both mean stop.
                let _ = stopped.await;
            },
        );
    let conduct = async move {
        let serve = async {
            board.published().await;
            health.set_service_status(SERVICE_NAME, ServingStatus::Serving).await;
            pending::<()>().await;
        };
        tokio::select! {
            () = shutdown => {}
            () = serve => {}
        }
        health.set_service_status(SERVER, ServingStatus::NotServing).await;
        health.set_service_status(SERVICE_NAME, ServingStatus::NotServing).await;
        // Nobody listens where the server stopped before.
        let _ = stop.send(());
        tokio::time::sleep(Duration::from_millis(SERVE_DRAIN_MS)).await;
    };
    tokio::select! {
        ended = server => ended.map_err(|error| ServeError::serve("gRPC", error)),
        () = conduct => {
            tracing::warn!("gRPC calls were still open when the drain's time was over");
            Ok(())
        }
    }
}
