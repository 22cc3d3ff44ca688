//! From committed transactions to what is kept in memory, and to what others are told.

use tidegate_kv::{Change, Committed, StoreError, TableChange};

use super::{Directory, transfers};
use crate::{
    Authorizer, DomainConfiguration, RegistryChange,
    tables::{
        ACCESS_KEYS, ACCOUNTS, AUTHORIZERS, CA_CERTIFICATES, CERTIFICATES, CERTIFICATES_BY_SIGNED_PART,
        DEFAULT_AUTHORIZERS, DOMAIN_CONFIGURATIONS, GROUPS_OF_THING, IAM_IDENTITIES, IAM_POLICIES, POLICIES,
        POLICIES_OF_TARGET, SERVER_CERTIFICATES, THING_GROUPS, THING_TYPES, THINGS, THINGS_OF_PRINCIPAL,
    },
};

impl Directory {
    /// Applies one committed transaction. O(1) for each row; for a policy, as much as there are connected certificates with it.
    pub(super) fn apply(&self, committed: &Committed) -> Result<Vec<RegistryChange>, StoreError> {
        let mut told = Vec::new();
        for change in &committed.changes {
            self.apply_row(change, &mut told)?;
        }
        told.extend(transfers::told(committed)?);
        Ok(told)
    }

    fn apply_row(&self, change: &Change, told: &mut Vec<RegistryChange>) -> Result<(), StoreError> {
        let table = change.table;
        if table == CERTIFICATES.name() {
            match CERTIFICATES.change(change)? {
                Some(TableChange::Put((tenant, id), record)) => told.extend(self.put_certificate(tenant, id, &record)),
                Some(TableChange::Delete((tenant, id))) => told.extend(self.remove_certificate(tenant, id)),
                None => {}
            }
        } else if table == CERTIFICATES_BY_SIGNED_PART.name() {
            match CERTIFICATES_BY_SIGNED_PART.change(change)? {
                Some(TableChange::Put((part, _, _, id), _)) => self.forms.put(&part, id),
                // Another account may have it still. What is left behind in error belongs to nobody, hence means nothing.
                Some(TableChange::Delete((part, _, _, id))) if self.certificates.owners(id).is_empty() => {
                    self.forms.remove(&part, id);
                }
                Some(TableChange::Delete(_)) | None => {}
            }
        } else if table == POLICIES_OF_TARGET.name() {
            match POLICIES_OF_TARGET.change(change)? {
                Some(TableChange::Put((tenant, target, name), ())) => told.extend(self.attach(tenant, &target, &name)),
                Some(TableChange::Delete((tenant, target, name))) => told.extend(self.detach(tenant, &target, &name)),
                None => {}
            }
        } else if table == POLICIES.name() {
            match POLICIES.change(change)? {
                Some(TableChange::Put((tenant, name), record)) => told.extend(self.put_policy(tenant, name, &record)),
                Some(TableChange::Delete((tenant, name))) => told.extend(self.remove_policy(tenant, name)),
                None => {}
            }
        } else if table == THINGS.name() {
            match THINGS.change(change)? {
                Some(TableChange::Put((tenant, name), record)) => self.put_thing(tenant, &name, record),
                Some(TableChange::Delete((tenant, name))) => self.remove_thing(tenant, &name),
                None => {}
            }
        } else if table == THINGS_OF_PRINCIPAL.name() {
            match THINGS_OF_PRINCIPAL.change(change)? {
                Some(TableChange::Put((tenant, principal, name), attachment)) => {
                    self.attach_thing(tenant, principal, &name, attachment.kind);
                }
                Some(TableChange::Delete((tenant, principal, name))) => self.detach_thing(tenant, principal, &name),
                None => {}
            }
        } else if table == GROUPS_OF_THING.name() {
            match GROUPS_OF_THING.change(change)? {
                Some(TableChange::Put((tenant, thing, group), ())) => self.join_group(tenant, &thing, &group),
                Some(TableChange::Delete((tenant, thing, group))) => self.leave_group(tenant, &thing, &group),
                None => {}
            }
        } else if table == THING_GROUPS.name() {
            match THING_GROUPS.change(change)? {
                Some(TableChange::Put((tenant, name), record)) => self.groups.put(tenant, &name, &record.above),
                Some(TableChange::Delete((tenant, name))) => self.groups.remove(tenant, &name),
                None => {}
            }
        } else if table == THING_TYPES.name() {
            match THING_TYPES.change(change)? {
                Some(TableChange::Put((tenant, name), record)) => self.put_thing_type(tenant, &name, &record),
                Some(TableChange::Delete((tenant, name))) => self.remove_thing_type(tenant, &name),
                None => {}
            }
        } else if table == CA_CERTIFICATES.name() {
            match CA_CERTIFICATES.change(change)? {
                Some(TableChange::Put((tenant, id), record)) => told.extend(self.put_ca(tenant, id, &record)?),
                Some(TableChange::Delete((tenant, id))) => told.extend(self.remove_ca(tenant, id)),
                None => {}
            }
        } else if table == ACCESS_KEYS.name() {
            match ACCESS_KEYS.change(change)? {
                Some(TableChange::Put(id, record)) => {
                    told.push(RegistryChange::Credentials { account: record.account });
                    self.access_keys.put(id, record);
                }
                Some(TableChange::Delete(id)) => told.extend(self.remove_access_key(&id)),
                None => {}
            }
        } else if table == IAM_IDENTITIES.name() {
            match IAM_IDENTITIES.change(change)? {
                Some(TableChange::Put(key, record)) => {
                    told.push(RegistryChange::Credentials { account: key.0 });
                    self.identities.put(key, record);
                }
                Some(TableChange::Delete(key)) => {
                    told.push(RegistryChange::Credentials { account: key.0 });
                    self.identities.remove(&key);
                }
                None => {}
            }
        } else if table == IAM_POLICIES.name() {
            match IAM_POLICIES.change(change)? {
                Some(TableChange::Put((account, name), record)) => self.identities.put_policy(account, name, &record),
                Some(TableChange::Delete((account, name))) => self.identities.remove_policy(account, name),
                None => {}
            }
        } else if table == ACCOUNTS.name() {
            match ACCOUNTS.change(change)? {
                Some(TableChange::Put(account, _)) => self.endpoints.put(account),
                Some(TableChange::Delete(account)) => self.endpoints.remove(account),
                None => {}
            }
        } else if table == AUTHORIZERS.name() {
            match AUTHORIZERS.change(change)? {
                Some(TableChange::Put((tenant, name), record)) => {
                    self.authorizers.put(Authorizer { tenant, name, record });
                }
                Some(TableChange::Delete((tenant, name))) => self.authorizers.remove(tenant, &name),
                None => {}
            }
        } else if table == DEFAULT_AUTHORIZERS.name() {
            match DEFAULT_AUTHORIZERS.change(change)? {
                Some(TableChange::Put(tenant, record)) => self.authorizers.set_default(tenant, Some(record.name)),
                Some(TableChange::Delete(tenant)) => self.authorizers.set_default(tenant, None),
                None => {}
            }
        } else if table == SERVER_CERTIFICATES.name() {
            match SERVER_CERTIFICATES.change(change)? {
                Some(TableChange::Put(name, record)) => {
                    self.domains.put_certificate(name.clone(), record);
                    told.push(RegistryChange::ServerCertificate { name });
                }
                Some(TableChange::Delete(name)) => {
                    self.domains.remove_certificate(&name);
                    told.push(RegistryChange::ServerCertificate { name });
                }
                None => {}
            }
        } else if table == DOMAIN_CONFIGURATIONS.name() {
            match DOMAIN_CONFIGURATIONS.change(change)? {
                Some(TableChange::Put((tenant, name), record)) => {
                    self.domains.put(DomainConfiguration { tenant, name, record });
                }
                Some(TableChange::Delete((tenant, name))) => self.domains.remove(tenant, &name),
                None => {}
            }
        }
        Ok(())
    }
}
