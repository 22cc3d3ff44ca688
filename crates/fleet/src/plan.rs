//! A scenario made ready to run: names and streams counted out, files opened, the broker's address looked up.

use std::{
    borrow::Cow,
    collections::HashMap,
    net::{SocketAddr, ToSocketAddrs},
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::pki_types::ServerName;

use crate::{
    FleetError, Identities,
    scenario::{Group, Place, Scenario, Transport},
    template::Who,
    verify::{Stream, Streams},
};

/// Descriptors that a process needs besides one for each device.
pub(crate) const OTHER_DESCRIPTORS: u64 = 64;

/// A scenario made ready to run.
pub(crate) struct Plan {
    /// Marks messages as ours.
    pub(crate) run: u32,
    pub(crate) scenario: Scenario,
    /// The wall clock at the start, in milliseconds since 1970: for `{{now}}`.
    pub(crate) started_millis: u64,
    pub(crate) groups: Vec<GroupPlan>,
    pub(crate) streams: Streams,
    pub(crate) broker: Broker,
}

/// Where the broker is.
pub(crate) struct Broker {
    /// As people write it: `localhost:8883`.
    pub(crate) named: String,
    pub(crate) address: SocketAddr,
    /// The name in SNI and certificate; there with TLS.
    pub(crate) server_name: Option<ServerName<'static>>,
    /// What to trust; `None` trusts everything.
    pub(crate) ca: Option<PathBuf>,
    pub(crate) alpn: Option<String>,
}

/// A group, with what its devices are numbered by.
pub(crate) struct GroupPlan {
    pub(crate) of: Group,
    pub(crate) first_device: u32,
    first_stream: u32,
    pub(crate) identities: Option<Arc<Identities>>,
}

impl Plan {
    /// Opens and counts everything. `environment` is asked for what neither the scenario nor the command line says.
    pub(crate) fn new(
        scenario: Scenario,
        run: u32,
        started_millis: u64,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, FleetError> {
        let broker = Broker::find(&scenario.broker, environment)?;
        let mut directories: HashMap<PathBuf, Arc<Identities>> = HashMap::new();
        let (mut groups, mut first_device, mut first_stream) = (Vec::new(), 0_u32, 0_u32);
        for group in &scenario.groups {
            let identities = match group.identities.as_deref() {
                Some(directory) if scenario.broker.transport == Transport::Tls => {
                    Some(open(&mut directories, directory, group)?)
                }
                Some(_) | None => None,
            };
            let streams = group.count.checked_mul(group.publish.len() as u32);
            let planned = GroupPlan { of: group.clone(), first_device, first_stream, identities };
            groups.push(planned);
            let too_many =
                || FleetError::Names("the scenario has more devices and publications than can be counted".into());
            first_stream = streams.and_then(|n| first_stream.checked_add(n)).ok_or_else(too_many)?;
            first_device = first_device.checked_add(group.count).ok_or_else(too_many)?;
        }
        let mut plan = Self { run, scenario, started_millis, groups, streams: Streams::default(), broker };
        plan.streams = Streams::new(plan.all_streams());
        Ok(plan)
    }

    fn all_streams(&self) -> Vec<Stream> {
        let mut all = Vec::new();
        for group in &self.groups {
            for device in group.first_device..group.first_device + group.of.count {
                let name = self.name(device);
                let who = self.who(device, &name);
                all.extend(group.of.publish.iter().map(|p| Stream::new(p.topic.name(&who), p.qos, p.verify)));
            }
        }
        all
    }

    /// How many devices there are.
    pub(crate) fn devices(&self) -> u32 {
        self.groups.last().map_or(0, |group| group.first_device + group.of.count)
    }

    /// The number of a device's group.
    pub(crate) fn group_of(&self, device: u32) -> usize {
        self.groups.partition_point(|group| group.first_device <= device) - 1
    }

    /// A device's number in its group, or among its identities.
    pub(crate) fn index(&self, device: u32) -> u32 {
        let group = &self.groups[self.group_of(device)];
        device - group.first_device + group.of.first
    }

    /// A device's name.
    pub(crate) fn name(&self, device: u32) -> Cow<'_, str> {
        let group = &self.groups[self.group_of(device)];
        let index = self.index(device);
        match &group.identities {
            Some(identities) => identities.name(index as usize).into(),
            None => {
                let who = Who { device: "", index: index.into(), group: &group.of.name };
                group.of.device.name(&who).into()
            }
        }
    }

    /// What fills a device's templates.
    pub(crate) fn who<'a>(&'a self, device: u32, name: &'a str) -> Who<'a> {
        let group = &self.groups[self.group_of(device)];
        Who { device: name, index: self.index(device).into(), group: &group.of.name }
    }

    /// The number of a device's stream.
    pub(crate) fn stream(&self, device: u32, publication: usize) -> u32 {
        let group = &self.groups[self.group_of(device)];
        let publications = group.of.publish.len() as u32;
        group.first_stream + (device - group.first_device) * publications + publication as u32
    }
}

fn open(
    directories: &mut HashMap<PathBuf, Arc<Identities>>,
    directory: &Path,
    group: &Group,
) -> Result<Arc<Identities>, FleetError> {
    let identities = match directories.get(directory) {
        Some(identities) => Arc::clone(identities),
        None => {
            let opened = Arc::new(Identities::open(directory)?);
            directories.insert(directory.to_owned(), Arc::clone(&opened));
            opened
        }
    };
    let needed = group.first as usize + group.count as usize;
    if identities.len() < needed {
        let directory = directory.to_owned();
        return Err(FleetError::TooFew { directory, there: identities.len(), needed, group: group.name.clone() });
    }
    Ok(identities)
}

impl Broker {
    fn find(place: &Place, environment: impl Fn(&str) -> Option<String>) -> Result<Self, FleetError> {
        let host = place.host.clone().or_else(|| environment("TIDEGATE_MQTT_HOST")).ok_or(FleetError::NoBroker)?;
        // The environment's port belongs to the environment's host.
        let told = if place.host.is_none() { environment("TIDEGATE_MQTT_PORT") } else { None };
        let port = match (place.port, told.map(|port| port.parse())) {
            (Some(port), _) => port,
            (None, Some(Ok(port))) => port,
            (None, Some(Err(_)) | None) if place.transport == Transport::Tls => 8883,
            (None, Some(Err(_)) | None) => 1883,
        };
        let named = format!("{host}:{port}");
        let wants_v4 = !host.contains(':');
        let addresses: Vec<SocketAddr> = (host.as_str(), port)
            .to_socket_addrs()
            .map_err(|source| FleetError::Unreachable { to: named.clone(), source })?
            .collect();
        // `localhost` is often both; sources are mostly of version 4.
        let address = addresses.iter().find(|address| address.is_ipv4() == wants_v4).or(addresses.first());
        let address = *address.ok_or(FleetError::NoBroker)?;
        let (mut server_name, mut ca) = (None, None);
        if place.transport == Transport::Tls {
            let name = place.server_name.clone().unwrap_or(host);
            server_name = Some(ServerName::try_from(name)?);
            if !place.insecure {
                let told = place.ca.clone().or_else(|| environment("TIDEGATE_CA_FILE").map(PathBuf::from));
                ca = Some(told.ok_or(FleetError::NoCaFile)?);
            }
        }
        Ok(Self { named, address, server_name, ca, alpn: place.alpn.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO_GROUPS: &str = r#"
[broker]
host = "127.0.0.1"
transport = "plain"
[[group]]
name = "a"
count = 3
first = 10
[[group.publish]]
topic = "{{device}}/x"
[[group.publish]]
topic = "{{device}}/y"
[[group]]
name = "b"
count = 2
[[group.publish]]
topic = "{{group}}/{{index}}"
"#;

    #[test]
    fn devices_and_streams_are_counted_through_the_groups() {
        let plan = Plan::new(Scenario::parse(TWO_GROUPS).unwrap(), 1, 0, |_| None).unwrap();
        assert_eq!((plan.devices(), plan.broker.address.port()), (5, 1883));
        for (device, group, name, stream, topic) in
            [(0, 0, "a-10", 0, "a-10/x"), (2, 0, "a-12", 4, "a-12/x"), (3, 1, "b-0", 6, "b/0"), (4, 1, "b-1", 7, "b/1")]
        {
            assert_eq!((plan.group_of(device), &*plan.name(device), plan.stream(device, 0)), (group, name, stream));
            assert_eq!(&*plan.streams.get(stream).unwrap().topic, topic);
        }
        assert_eq!(&*plan.streams.get(plan.stream(1, 1)).unwrap().topic, "a-11/y");
    }

    #[test]
    fn what_is_not_said_comes_from_the_environment() {
        let environment = |name: &str| match name {
            "TIDEGATE_MQTT_HOST" => Some("127.0.0.1".to_owned()),
            "TIDEGATE_MQTT_PORT" => Some("4711".to_owned()),
            "TIDEGATE_CA_FILE" => Some("env.pem".to_owned()),
            _ => None,
        };
        let own = Place { host: Some("127.0.0.2".into()), ca: Some("own.pem".into()), ..Place::default() };
        for (place, named, ca) in [(Place::default(), "127.0.0.1:4711", "env.pem"), (own, "127.0.0.2:8883", "own.pem")]
        {
            let broker = Broker::find(&place, environment).unwrap();
            assert_eq!((broker.named.as_str(), broker.ca), (named, Some(ca.into())));
        }
        for (place, says) in [
            (Place::default(), "TIDEGATE_MQTT_HOST"),
            (Place { host: Some("127.0.0.1".into()), ..Place::default() }, "TIDEGATE_CA_FILE"),
        ] {
            let refused = Broker::find(&place, |_| None).err().unwrap().to_string();
            assert!(refused.contains(says), "{refused}");
        }
    }
}
