//! The accesses that are decided on the message path.

/// What a client asks for on an MQTT connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Access {
    /// `iot:Connect` on `client/CLIENT_ID`.
    Connect,
    /// `iot:Publish` on `topic/TOPIC_NAME`: a PUBLISH or a Will.
    Publish,
    /// `iot:RetainPublish` on `topic/TOPIC_NAME`: asked in addition to `Publish` when RETAIN is 1.
    RetainPublish,
    /// `iot:Subscribe` on `topicfilter/TOPIC_FILTER`; the filter's text, `$share/…` included.
    Subscribe,
    /// `iot:Receive` on `topic/TOPIC_NAME`: asked at each delivery.
    Receive,
}

/// What kind of thing an access is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResourceType {
    Client,
    Topic,
    TopicFilter,
}

impl Access {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Connect, Self::Publish, Self::RetainPublish, Self::Subscribe, Self::Receive];

    /// The action's name: `iot:Connect`, …
    pub const fn action(self) -> &'static str {
        match self {
            Self::Connect => "iot:Connect",
            Self::Publish => "iot:Publish",
            Self::RetainPublish => "iot:RetainPublish",
            Self::Subscribe => "iot:Subscribe",
            Self::Receive => "iot:Receive",
        }
    }

    /// The access whose action is called `name`, in upper or lower case.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|access| access.action().eq_ignore_ascii_case(name))
    }

    /// The first part of the resource: `client`, `topic` or `topicfilter`.
    pub const fn resource_type(self) -> &'static str {
        self.kind().name()
    }

    pub(crate) const fn kind(self) -> ResourceType {
        match self {
            Self::Connect => ResourceType::Client,
            Self::Publish | Self::RetainPublish | Self::Receive => ResourceType::Topic,
            Self::Subscribe => ResourceType::TopicFilter,
        }
    }
}

impl ResourceType {
    pub(crate) const ALL: [Self; 3] = [Self::Client, Self::Topic, Self::TopicFilter];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Topic => "topic",
            Self::TopicFilter => "topicfilter",
        }
    }
}

/// A set of accesses.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AccessSet(u8);

impl AccessSet {
    pub(crate) fn of(mut wanted: impl FnMut(Access) -> bool) -> Self {
        Self(Access::ALL.into_iter().filter(|a| wanted(*a)).map(Self::bit).sum())
    }

    pub(crate) const fn contains(self, access: Access) -> bool {
        self.0 & Self::bit(access) != 0
    }

    /// Those of the set that are on a `kind` of resource.
    pub(crate) fn on(self, kind: ResourceType) -> Self {
        Self::of(|access| self.contains(access) && access.kind() == kind)
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    const fn bit(access: Access) -> u8 {
        1 << access as u8
    }
}
