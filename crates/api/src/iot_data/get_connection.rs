use std::net::SocketAddr;

use tidegate_broker::{ConnectionState, Known, LastConnection};
use tidegate_ids::Timestamp;

use super::{data, delete_connection::not_found};
use crate::{
    ApiError,
    call::Call,
    generated::iot_data::get_connection::{Input, Output},
};

/// `GET /connections/{clientId}?includeSocketInformation`. A connection that has ended is known for half an hour.
///
/// AWS: API_iotdata_GetConnection. Where the broker listens (`targetIp`, `targetPort`) is not told.
pub(crate) async fn get_connection(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let known = data(call)?.broker.connection(call.tenant(), &input.client_id, call.now);
    let known = known.ok_or_else(|| not_found(&input.client_id))?;
    let sockets = input.include_socket_information.unwrap_or(false);
    let output = match known {
        Known::Present(connection) => present(&connection, sockets),
        Known::Absent(last) => absent(&last, sockets),
    };
    Ok(Output { client_id: Some(input.client_id), ..output })
}

fn present(connection: &ConnectionState, sockets: bool) -> Output {
    Output {
        connected: Some(true),
        connected_since: millis(connection.since),
        clean_session: Some(connection.clean_start),
        keep_alive_duration: Some(connection.keep_alive_seconds.into()),
        session_expiry: Some(connection.session_expiry.seconds().into()),
        thing_name: connection.thing_name.as_deref().map(str::to_owned),
        ..socket(connection.peer_address, sockets)
    }
}

fn absent(last: &LastConnection, sockets: bool) -> Output {
    Output {
        connected: Some(false),
        disconnected_since: millis(last.ended_at),
        disconnect_reason: Some(last.reason.as_str().to_owned()),
        clean_session: Some(last.clean_start),
        keep_alive_duration: Some(last.keep_alive_seconds.into()),
        session_expiry: Some(last.session_expiry.seconds().into()),
        thing_name: last.thing_name.as_deref().map(str::to_owned),
        ..socket(last.peer_address, sockets)
    }
}

fn socket(peer: SocketAddr, wanted: bool) -> Output {
    if !wanted {
        return Output::default();
    }
    Output { source_ip: Some(peer.ip().to_string()), source_port: Some(peer.port().into()), ..Output::default() }
}

fn millis(moment: Timestamp) -> Option<i64> {
    i64::try_from(moment.millis()).ok()
}
