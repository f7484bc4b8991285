//! Connections: each is taken, a second one is made to the container, and bytes pass both ways
//! until both sides have said their last.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::copy_bidirectional_with_sizes;
use tokio::net::{TcpListener, TcpStream};

/// Bytes under way in each direction.
const BUFFER: usize = 256 * 1024;

/// How long one waits when the process may have no more descriptors: accept(2), EMFILE.
const BREATH: Duration = Duration::from_millis(50);

/// Carries connections for ever.
pub(super) async fn carry(listener: TcpListener, to: SocketAddr) {
    loop {
        match listener.accept().await {
            // A connection that breaks ends alone.
            Ok((client, _)) => drop(tokio::spawn(pass(client, to))),
            Err(_) => tokio::time::sleep(BREATH).await,
        }
    }
}

async fn pass(mut client: TcpStream, to: SocketAddr) -> io::Result<()> {
    let mut container = TcpStream::connect(to).await?;
    // Small answers are not to wait for more.
    client.set_nodelay(true)?;
    container.set_nodelay(true)?;
    copy_bidirectional_with_sizes(&mut client, &mut container, BUFFER, BUFFER).await.map(drop)
}
