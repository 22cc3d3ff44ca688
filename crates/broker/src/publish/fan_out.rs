//! A message on its way to everyone who is to have it.

use std::sync::Arc;

use tidegate_ids::Now;

use crate::{
    Broker, Effects,
    message::{Images, Named},
    router::{Group, Route, Sharing, Whose},
    session::{Offer, Offered, Session, Undelivered},
};

/// What became of a message.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Routed {
    /// Somebody has it.
    pub(crate) matched: bool,
    /// A record of it is logged.
    pub(crate) durable: bool,
}

impl Broker {
    /// Give a message to everyone on `route`. Locks one session at a time.
    pub(crate) fn deliver(
        &self,
        route: &Route,
        from: Option<&Arc<Session>>,
        named: Named<'_>,
        retain: bool,
        now: Now,
        effects: &mut Effects,
    ) -> Routed {
        let mut images = Images::default();
        let mut routed = Routed::default();
        let Named { message, topic_name, hash } = named;
        let offer = Offer {
            message,
            topic_name,
            hash,
            qos: message.qos,
            retain: false,
            identifiers: &[],
            is_retained: false,
            group: None,
            asked: &[],
            now,
        };
        for target in &route.targets {
            let own = from.is_some_and(|from| Arc::ptr_eq(from, &target.session));
            match target.whose {
                Whose::Others if own => continue,
                Whose::Own if !own => continue,
                Whose::Any | Whose::Others | Whose::Own => {}
            }
            let offer = Offer {
                qos: message.qos.min(target.qos),
                retain: retain && target.retain_as_published,
                identifiers: target.identifiers.as_deref().unwrap_or(&[]),
                asked: target.asked.answers(),
                ..offer
            };
            routed.note(target.session.offer(&offer, &mut images, effects));
        }
        for Sharing { group, asked } in &route.groups {
            let offer = Offer { retain, asked: asked.answers(), ..offer };
            routed.note(offer_to_group(group, &offer, &mut images, effects));
        }
        routed
    }

    /// Give a message of a shared group to another member. Spec: 4.8.2 (5.0).
    pub(crate) fn deliver_again(&self, undelivered: Undelivered, now: Now, effects: &mut Effects) {
        let Undelivered { group, message, retain } = undelivered;
        let Named { topic_name, hash, .. } = Named::of(&message);
        let offer = Offer {
            message: &message,
            topic_name,
            hash,
            qos: message.qos,
            retain,
            identifiers: &[],
            is_retained: false,
            group: None,
            asked: &[],
            now,
        };
        match offer_to_group(&group, &offer, &mut Images::default(), effects) {
            Offered::Refused | Offered::OverRate => effects.counters.dropped_unrouted += 1,
            Offered::Taken | Offered::TakenDurably => effects.counters.rerouted += 1,
        }
    }
}

/// Offer a message to the members of a group, one after the other, until one takes it.
fn offer_to_group(group: &Arc<Group>, offer: &Offer<'_>, images: &mut Images, effects: &mut Effects) -> Offered {
    let mut refused = Vec::new();
    while let Some(member) = group.pick(&refused) {
        let offer = Offer {
            qos: offer.qos.min(member.options.qos),
            retain: offer.retain && member.options.retain_as_published,
            identifiers: member.identifier.as_slice(),
            group: Some(group),
            ..*offer
        };
        match member.session.offer(&offer, images, effects) {
            Offered::Refused => refused.push(member.session.serial()),
            final_word => return final_word,
        }
    }
    Offered::Refused
}

impl Routed {
    fn note(&mut self, offered: Offered) {
        match offered {
            Offered::Taken => self.matched = true,
            Offered::TakenDurably => (self.matched, self.durable) = (true, true),
            Offered::Refused | Offered::OverRate => {}
        }
    }
}
