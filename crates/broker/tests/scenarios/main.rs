//! Whole conversations with the broker, in packets: bytes in, bytes out.
#![allow(unreachable_pub)] // one crate, whose modules share a world

mod answers;
mod authorization;
mod bug_bank;
mod connect;
mod control;
mod cores;
mod delivery;
mod disk;
mod durability;
mod exchanges;
mod limits;
mod outbound_rate;
mod outside;
mod probes;
mod quota_names;
mod quotas;
mod restart;
mod retained;
mod session;
mod shared;
mod simulation;
mod simulation_groups;
mod will;
mod world;
