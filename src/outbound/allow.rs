//! What the operator lets outgoing requests reach besides the internet.

use std::net::IpAddr;

use super::Network;

/// One exception: a network, or a host with a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allow {
    /// Addresses of this block may be connected to, at ports 80 and 443.
    Network(Network),
    /// This host at this port, whatever address the name has.
    Host { host: String, port: u16 },
}

impl Allow {
    /// Reads `10.1.0.0/16` or `idp.intern:8443`. A bare address is a network of one.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(network) = Network::parse(text) {
            return Some(Self::Network(network));
        }
        let (host, port) = text.rsplit_once(':')?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() || host.contains(['/', '@', ' ', '*']) {
            return None;
        }
        Some(Self::Host { host: host.to_ascii_lowercase(), port: port.parse().ok().filter(|port| *port > 0)? })
    }

    pub(super) fn covers_address(&self, ip: IpAddr) -> bool {
        matches!(self, Self::Network(network) if network.contains(ip))
    }

    pub(super) fn covers_host(&self, host: &str, port: u16) -> bool {
        matches!(self, Self::Host { host: allowed, port: at } if allowed == host && *at == port)
    }
}
