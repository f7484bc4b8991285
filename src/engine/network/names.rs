//! The resolver of containers in networks of a user's own: 127.0.0.11, in each container's own
//! namespace. What it does not know it asks those the machine asks.

use super::super::{Engine, Error, launch};
use crate::container::{Record, networking, placement};
use crate::network::names::{self, Known};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket as Socket};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Longest message over UDP that is passed on: RFC 6891's usual limit.
const MESSAGE: usize = 4096;

/// How long each of the machine's resolvers is waited for.
const PATIENCE: Duration = Duration::from_secs(3);

/// Where names are asked.
const PORT: u16 = 53;

/// One container's resolver.
struct Resolver {
    engine: Weak<Engine>,
    container: String,
    /// Those asked for what is not known here.
    others: Vec<IpAddr>,
    /// Answers given; containers of one name take turns by it.
    answered: AtomicUsize,
}

impl Engine {
    /// Serves a container's names as long as it is in the table.
    ///
    /// # Errors
    /// When the sockets cannot be had.
    pub(super) async fn serve_names(&self, record: &Record) -> Result<(), Error> {
        let named = record.network.endpoints.iter().any(|endpoint| endpoint.has_names);
        if !named || self.simulated() {
            return Ok(());
        }
        let mut table = self.networks.table.lock().await;
        let Some(member) = table.members.get_mut(&record.id) else { return Ok(()) };
        if !member.resolver.is_empty() {
            return Ok(());
        }
        let failed = |error: std::io::Error| Error::Read {
            path: format!("{}:{PORT} in container {}", networking::RESOLVER, record.short_id()),
            reason: error.to_string(),
        };
        let (host, short) = (self.host.clone(), record.short_id().to_owned());
        let address: Ipv4Addr = networking::RESOLVER.parse().unwrap_or(Ipv4Addr::LOCALHOST);
        let opened = tokio::task::spawn_blocking(move || host.resolver(&short, address)).await;
        let (udp, tcp) = opened.map_err(std::io::Error::other).and_then(|opened| opened).map_err(failed)?;
        let asked: Vec<IpAddr> = record.host_config.dns.iter().filter_map(|text| text.parse().ok()).collect();
        let reaches_out = record.network.endpoints.iter().any(|endpoint| endpoint.gateway.is_some());
        let others = match (reaches_out, asked.is_empty()) {
            (false, _) => Vec::new(),
            (true, false) => asked,
            (true, true) => names::resolvers(&launch::resolvers_of(&*self.host)),
        };
        let resolver = Arc::new(Resolver {
            engine: self.myself.clone(),
            container: record.id.clone(),
            others,
            answered: AtomicUsize::default(),
        });
        member.resolver = serve(&resolver, udp, tcp).map_err(failed)?;
        Ok(())
    }

    /// Everybody a container can name: whoever shares a network of a user's own with it.
    async fn neighbours(&self, container: &str) -> Vec<Known> {
        let table = self.networks.table.lock().await;
        let Some(member) = table.members.get(container) else { return Vec::new() };
        let networks: BTreeSet<&str> = member
            .endpoints
            .iter()
            .filter(|endpoint| endpoint.has_names)
            .map(|endpoint| endpoint.network_id.as_str())
            .collect();
        let mut known = Vec::new();
        for network in networks {
            for (id, _, endpoint) in table.endpoints(network) {
                let Ok(container) = self.containers.find(id) else { continue };
                let names = placement::names(&container.record(), endpoint);
                known.push(Known {
                    names,
                    network: endpoint.network.clone(),
                    address: endpoint.address.addr(),
                });
            }
        }
        known
    }
}

fn serve(resolver: &Arc<Resolver>, udp: UdpSocket, tcp: TcpListener) -> std::io::Result<JoinSet<()>> {
    let udp = Arc::new(Socket::from_std(udp)?);
    let tcp = tokio::net::TcpListener::from_std(tcp)?;
    let mut tasks = JoinSet::new();
    let own = resolver.clone();
    tasks.spawn(async move {
        let mut buffer = vec![0; MESSAGE];
        loop {
            // An answer that reached nobody shows here as an error, and is no end.
            let Ok((length, client)) = udp.recv_from(&mut buffer).await else { continue };
            let (query, own, udp) = (buffer[..length].to_vec(), own.clone(), udp.clone());
            tokio::spawn(async move {
                if let Some(reply) = own.reply(&query, false).await {
                    // Whoever asked may be gone.
                    let _ = udp.send_to(&reply, client).await;
                }
            });
        }
    });
    let own = resolver.clone();
    tasks.spawn(async move {
        while let Ok((client, _)) = tcp.accept().await {
            let own = own.clone();
            // A conversation that breaks ends alone.
            tokio::spawn(async move { own.converse(client).await });
        }
    });
    Ok(tasks)
}

impl Resolver {
    async fn reply(&self, query: &[u8], stream: bool) -> Option<Vec<u8>> {
        let known = self.engine.upgrade()?.neighbours(&self.container).await;
        let order = self.answered.fetch_add(1, Ordering::Relaxed);
        if let Some(reply) = names::answer(query, &known, order) {
            return Some(reply);
        }
        for other in &self.others {
            let address = SocketAddr::new(*other, PORT);
            let asked = async {
                if stream {
                    ask_by_stream(address, query).await
                } else {
                    ask_by_datagram(address, query).await
                }
            };
            if let Ok(Ok(reply)) = timeout(PATIENCE, asked).await {
                return Some(reply);
            }
        }
        names::failure(query)
    }

    /// Queries over a stream: each with its length before it.
    async fn converse(&self, mut client: TcpStream) -> std::io::Result<()> {
        loop {
            let query = message(&mut client).await?;
            let Some(reply) = self.reply(&query, true).await else { return Ok(()) };
            send(&mut client, &reply).await?;
        }
    }
}

async fn ask_by_datagram(other: SocketAddr, query: &[u8]) -> std::io::Result<Vec<u8>> {
    let any = if other.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = Socket::bind(any).await?;
    socket.connect(other).await?;
    socket.send(query).await?;
    let mut reply = vec![0; MESSAGE];
    loop {
        let length = socket.recv(&mut reply).await?;
        // Somebody else's answer is none.
        if reply.get(..2) == query.get(..2) {
            reply.truncate(length);
            return Ok(reply);
        }
    }
}

async fn ask_by_stream(other: SocketAddr, query: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(other).await?;
    send(&mut stream, query).await?;
    message(&mut stream).await
}

async fn message(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let length = stream.read_u16().await?;
    let mut message = vec![0; usize::from(length)];
    stream.read_exact(&mut message).await?;
    Ok(message)
}

async fn send(stream: &mut TcpStream, message: &[u8]) -> std::io::Result<()> {
    let length = u16::try_from(message.len()).map_err(std::io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), message].concat()).await
}
