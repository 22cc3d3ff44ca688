//! AWS IoT and IAM policy documents: parse, compile, bind variables, decide.
//!
//! ```text
//! text ──Document::parse──▶ Document ──PolicySet::compile──▶ PolicySet ──bind(Variables)──▶ BoundPolicy ──decide──▶ Decision
//!        once per version              once per principal               once per connection             per topic, no allocation
//! ```
//!
//! A statement is compiled to patterns over the bare topic text: the part `arn:aws:iot:REGION:ACCOUNT:topic/` is
//! matched when the policy is compiled or bound, never on the message path. What is left of each pattern, its
//! *residues*, match a topic exactly when the whole pattern matches the whole ARN.
//!
//! An explicit deny wins over every allow; what nobody allows is denied.
//!
//! AWS: developer guide, "AWS IoT Core policies"; IAM user guide, "IAM JSON policy elements".

mod access;
mod condition;
mod decision;
mod document;
mod explain;
mod identity;
mod json;
mod lint;
mod operand;
mod pattern;
mod rule;
mod set;
mod sieve;
mod template;
mod variables;

pub use access::Access;
pub use decision::{Decision, Origin};
pub use document::{Document, Effect, MalformedPolicy};
pub use explain::{ConditionFinding, Explanation, Outcome, PolicyVerdict, StatementFinding};
pub use identity::{Trust, TrustPolicy, Trustee};
pub use lint::{LintRule, LintWarning};
pub use pattern::wildcard_match;
pub use set::{AttachedPolicy, BoundPolicy, PolicySet};
pub use template::{Rendered, Unresolved, WhyUnresolved};
pub use variables::{CertificateAttribute, CertificateName, RequestContext, Variables, keys};

#[cfg(test)]
mod tests;
