//! Datagrams: each client gets a socket of its own towards the container, so that answers find
//! their way back; one that says nothing for a while is forgotten.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::time::timeout;

/// Longest datagram: udp(7).
const DATAGRAM: usize = 65_535;

/// Silence after which a client is forgotten, as Docker's proxy has it.
const PATIENCE: Duration = Duration::from_secs(90);

type Clients = Arc<Mutex<HashMap<SocketAddr, Arc<UdpSocket>>>>;

/// Carries datagrams for ever.
pub(super) async fn carry(socket: UdpSocket, to: SocketAddr) {
    let socket = Arc::new(socket);
    let clients = Clients::default();
    let mut buffer = vec![0; DATAGRAM];
    loop {
        // An earlier answer that reached nobody shows here as an error, and is no end.
        let Ok((length, client)) = socket.recv_from(&mut buffer).await else { continue };
        let known = clients.lock().unwrap_or_else(PoisonError::into_inner).get(&client).cloned();
        let towards = match known {
            Some(towards) => towards,
            None => {
                let Ok(towards) = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).await else { continue };
                if towards.connect(to).await.is_err() {
                    continue;
                }
                let towards = Arc::new(towards);
                clients.lock().unwrap_or_else(PoisonError::into_inner).insert(client, towards.clone());
                tokio::spawn(answer(socket.clone(), towards.clone(), client, clients.clone()));
                towards
            }
        };
        // Nobody listens inside: a datagram is lost, as datagrams are.
        let _ = towards.send(&buffer[..length]).await;
    }
}

/// Carries the container's answers to one client.
async fn answer(socket: Arc<UdpSocket>, towards: Arc<UdpSocket>, client: SocketAddr, clients: Clients) {
    let mut buffer = vec![0; DATAGRAM];
    while let Ok(Ok(length)) = timeout(PATIENCE, towards.recv(&mut buffer)).await {
        if socket.send_to(&buffer[..length], client).await.is_err() {
            break;
        }
    }
    clients.lock().unwrap_or_else(PoisonError::into_inner).remove(&client);
}
