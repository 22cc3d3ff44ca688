//! Tasks that admit one connection after the other.
//!
//! What an admission needs is some 9 KiB, most are over in a moment, and each leaves small things behind that live as long
//! as its connection. Did each have a task of its own, the allocator would carve those small things out of the room that the
//! last task left, and find new room for the next task: the process would grow by a task with every connection. So the tasks
//! stay, and few of them serve many connections.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
};

use tokio::sync::Notify;

/// Tasks that are kept though there is nothing to do.
const KEPT: usize = 64;

/// The tasks of one core, and the jobs that none of them has begun yet.
///
/// Every job has somebody who comes for it: a waiting task that was called, or a new one. So the jobs are as many as the
/// connections, which are bounded, and none waits for another to end.
#[derive(Debug)]
pub(crate) struct Porters<J> {
    jobs: RefCell<VecDeque<J>>,
    /// Tasks that wait and were not called yet.
    idle: Cell<usize>,
    call: Notify,
}

impl<J: 'static> Porters<J> {
    pub(crate) fn new() -> Rc<Self> {
        Rc::new(Self { jobs: RefCell::default(), idle: Cell::new(0), call: Notify::new() })
    }

    /// Has `job` done by `serve`, on a task of this thread. A panic in it is the end of that job only. Must be called on a
    /// local runtime, always with the same `serve`.
    pub(crate) fn hand<F: Future<Output = ()> + 'static>(self: &Rc<Self>, job: J, serve: impl Fn(J) -> F + 'static) {
        self.jobs.borrow_mut().push_back(job);
        match self.idle.get().checked_sub(1) {
            Some(others) => {
                self.idle.set(others);
                self.call.notify_one();
            }
            None => {
                tokio::task::spawn_local(self.clone().work(serve));
            }
        }
    }

    /// Drops the jobs that nobody has begun: they may hold what holds this.
    pub(crate) fn dismiss(&self) {
        drop(self.jobs.take());
    }

    async fn work<F: Future<Output = ()>>(self: Rc<Self>, serve: impl Fn(J) -> F) {
        loop {
            let job = self.jobs.borrow_mut().pop_front();
            match job {
                Some(job) => serve(job).await,
                None if self.idle.get() < KEPT => {
                    self.idle.set(self.idle.get() + 1);
                    self.call.notified().await;
                }
                None => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::Semaphore;

    use super::*;

    /// Lets all tasks go as far as they can.
    async fn settle() {
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    }

    fn on_a_core(test: impl AsyncFnOnce()) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build_local(tokio::runtime::LocalOptions::default())
            .expect("a runtime without I/O");
        runtime.block_on(test());
    }

    #[test]
    fn one_task_serves_all_that_come_one_after_the_other() {
        on_a_core(async || {
            let porters = Porters::new();
            let done = Rc::new(Cell::new(0));
            for _ in 0..1000 {
                let count = done.clone();
                porters.hand((), move |()| {
                    let count = count.clone();
                    async move { count.set(count.get() + 1) }
                });
                settle().await;
            }
            assert_eq!((done.get(), porters.idle.get()), (1000, 1));
        });
    }

    #[test]
    fn what_was_not_begun_is_let_go() {
        on_a_core(async || {
            let (porters, job) = (Porters::new(), Rc::new(()));
            porters.hand(job.clone(), |_| async { unreachable!("it was dismissed") });
            porters.dismiss();
            assert_eq!(Rc::strong_count(&job), 1);
            settle().await;
            assert_eq!(porters.idle.get(), 1);
        });
    }

    #[test]
    fn nobody_waits_for_another_and_few_tasks_stay() {
        on_a_core(async || {
            let porters = Porters::new();
            let (begun, gate) = (Rc::new(Cell::new(0)), Rc::new(Semaphore::new(0)));
            for number in 0..3 * KEPT {
                let (begun, gate) = (begun.clone(), gate.clone());
                porters.hand(number, move |number| {
                    let (begun, gate) = (begun.clone(), gate.clone());
                    async move {
                        begun.set(begun.get() + 1);
                        let _passed = gate.acquire().await;
                        assert_ne!(number, 7, "the panic of a job");
                    }
                });
            }
            settle().await;
            assert_eq!((begun.get(), porters.idle.get()), (3 * KEPT, 0));
            gate.add_permits(3 * KEPT);
            settle().await;
            assert_eq!(porters.idle.get(), KEPT, "the others ended");
            assert!(porters.jobs.borrow().is_empty());
        });
    }
}
