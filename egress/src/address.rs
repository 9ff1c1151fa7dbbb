//! Which addresses lead inside: the machine, its network, its provider.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::dial::DialError;

/// IPv4 blocks that aren't the public internet (IANA's special-purpose
/// registry), and the one public address that is a cloud's inside.
const INSIDE_V4: &[(Ipv4Addr, u32)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8),        // this network
    (Ipv4Addr::new(10, 0, 0, 0), 8),       // private
    (Ipv4Addr::new(100, 64, 0, 0), 10),    // CGNAT; Alibaba's metadata is in it
    (Ipv4Addr::new(127, 0, 0, 0), 8),      // loopback
    (Ipv4Addr::new(168, 63, 129, 16), 32), // Azure's host agent
    (Ipv4Addr::new(169, 254, 0, 0), 16),   // link-local; most clouds' metadata
    (Ipv4Addr::new(172, 16, 0, 0), 12),    // private
    (Ipv4Addr::new(192, 0, 0, 0), 24),     // protocols; Oracle's metadata
    (Ipv4Addr::new(192, 0, 2, 0), 24),     // documentation
    (Ipv4Addr::new(192, 88, 99, 0), 24),   // 6to4 relays
    (Ipv4Addr::new(192, 168, 0, 0), 16),   // private
    (Ipv4Addr::new(198, 18, 0, 0), 15),    // benchmarks
    (Ipv4Addr::new(198, 51, 100, 0), 24),  // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24),   // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 4),      // multicast
    (Ipv4Addr::new(240, 0, 0, 0), 4),      // reserved, broadcast
];

/// IPv6 blocks that aren't the public internet. Those that carry an IPv4
/// address are not here: [`embedded_v4`] looks at what they carry.
const INSIDE_V6: &[(Ipv6Addr, u32)] = &[
    (Ipv6Addr::UNSPECIFIED, 128),
    (Ipv6Addr::LOCALHOST, 128),
    (Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, 0, 0), 48), // NAT64 of the local network
    (Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, 0), 64),     // discard
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),    // protocols: Teredo, benchmarks, ORCHID
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),    // documentation
    (Ipv6Addr::new(0x5f00, 0, 0, 0, 0, 0, 0, 0), 16),    // segment routing
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7),     // unique local; AWS's metadata
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10),    // link-local
    (Ipv6Addr::new(0xfec0, 0, 0, 0, 0, 0, 0, 0), 10),    // site-local
    (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8),     // multicast
];

/// Whether an address leads inside rather than to the public internet:
/// loopback, private, link-local, cloud metadata, multicast, documentation and
/// reserved blocks, and IPv6 forms that carry such an IPv4 address.
pub fn is_private(addr: IpAddr) -> bool {
    match addr {
        IpAddr::V4(v4) => is_private_v4(v4),
        IpAddr::V6(v6) => {
            INSIDE_V6
                .iter()
                .any(|&(net, prefix)| (v6.to_bits() ^ net.to_bits()) >> (128 - prefix) == 0)
                || embedded_v4(v6).is_some_and(is_private_v4)
        }
    }
}

fn is_private_v4(v4: Ipv4Addr) -> bool {
    INSIDE_V4
        .iter()
        .any(|&(net, prefix)| (v4.to_bits() ^ net.to_bits()) >> (32 - prefix) == 0)
}

/// The IPv4 address that a packet to this IPv6 address would end at, for the
/// forms a kernel or a gateway translates.
fn embedded_v4(v6: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = v6.segments();
    let join = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match [a, b, c, d, e, f] {
        // v4-mapped, SIIT's v4-translated, and the old v4-compatible form.
        [0, 0, 0, 0, 0, 0xffff] | [0, 0, 0, 0, 0xffff, 0] | [0, 0, 0, 0, 0, 0] => Some(join(g, h)),
        // NAT64's well-known prefix: public IPv4 hosts are reached this way
        // from networks without IPv4, so only the inside of it is refused.
        [0x64, 0xff9b, 0, 0, 0, 0] => Some(join(g, h)),
        // 6to4 carries it after the prefix.
        [0x2002, high, low, ..] => Some(join(high, low)),
        _ => None,
    }
}

/// Which addresses may be connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AddressRule {
    Any,
    PublicOnly,
}

impl AddressRule {
    /// The addresses of `host` that may be tried. A name with public and
    /// private addresses keeps its public ones; one that has only private
    /// addresses is an error that names the first.
    pub(crate) fn admit(
        self,
        host: &str,
        found: Vec<SocketAddr>,
    ) -> Result<Vec<SocketAddr>, DialError> {
        if self == AddressRule::Any {
            return Ok(found);
        }
        let (inside, public): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|addr| is_private(addr.ip()));
        match inside.first() {
            Some(addr) if public.is_empty() => Err(DialError::PrivateAddress {
                host: host.to_owned(),
                addr: addr.ip(),
            }),
            _ => Ok(public),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_lead_inside() {
        let inside = [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:0:10.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::808:808",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
        ];
        for text in inside {
            let addr = text.parse().expect(text);
            assert!(is_private(addr), "{text} leads inside");
        }
    }

    #[test]
    fn addresses_of_the_public_internet() {
        let public = [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "168.63.129.17",
            "169.253.255.255",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2002:808:808::1",
            "2606:4700::1111",
            "fbff::1",
        ];
        for text in public {
            let addr = text.parse().expect(text);
            assert!(!is_private(addr), "{text} is public");
        }
    }

    #[test]
    fn a_name_with_both_kinds_keeps_its_public_addresses() {
        let both: Vec<SocketAddr> = vec![
            "10.0.0.1:0".parse().expect("address"),
            "8.8.8.8:0".parse().expect("address"),
        ];
        let admitted = AddressRule::PublicOnly.admit("both.test", both.clone());
        assert_eq!(admitted.expect("one is public"), both[1..]);
        let error = AddressRule::PublicOnly
            .admit("inside.test", both[..1].to_vec())
            .expect_err("none is public");
        assert_eq!(
            error.to_string(),
            "inside.test is 10.0.0.1, a private address"
        );
        assert_eq!(
            AddressRule::Any
                .admit("both.test", both.clone())
                .expect("any"),
            both
        );
    }
}
