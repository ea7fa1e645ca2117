//! What time is it, and when has enough of it passed? The only place that asks the operating system.

use std::fmt;
use std::pin::Pin;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

/// A wait on a clock. It owns what it needs, so it can outlive the borrow of the clock it came from.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Tells the time twice: as people write it, and as it passes.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The wall clock. It can jump in both directions.
    fn now(&self) -> Timestamp;

    /// Time since an arbitrary moment in this process. It never goes back; waits are measured with it.
    fn monotonic(&self) -> Duration;

    /// Both at one moment: read one after the other, a clock that is moved in between looks as if it had been set.
    fn both(&self) -> (Timestamp, Duration) {
        (self.now(), self.monotonic())
    }

    /// Ends when [`Clock::monotonic`] has reached `moment`; at once when it already has.
    ///
    /// Whoever waits for the end of a span that began at a moment he knows uses this and not [`Clock::sleep`]: time
    /// that passes between his look at the clock and his call is not waited for twice.
    fn sleep_until(&self, moment: Duration) -> Sleep;

    /// Ends when so much time has passed.
    fn sleep(&self, time: Duration) -> Sleep {
        self.sleep_until(self.monotonic().saturating_add(time))
    }
}

/// The operating system's clocks.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    started: Instant,
}

impl SystemClock {
    pub fn new() -> Self {
        Self { started: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the place that everybody else is sent to")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }

    fn sleep_until(&self, moment: Duration) -> Sleep {
        let end = self.started.checked_add(moment);
        Box::pin(async move {
            match end {
                Some(end) => tokio::time::sleep_until(end.into()).await,
                // Further away than the system can tell is never.
                None => std::future::pending().await,
            }
        })
    }
}

/// A clock that stands still until it is told otherwise, for tests and the simulation. Waits on it end when its hands
/// are moved far enough, whichever thread moves them.
#[derive(Debug)]
pub struct ManualClock {
    hands: watch::Sender<Hands>,
}

#[derive(Debug, Clone, Copy)]
struct Hands {
    wall: Timestamp,
    monotonic: Duration,
}

impl ManualClock {
    /// Stands at `start`, with the monotonic clock at zero.
    pub fn new(start: Timestamp) -> Self {
        Self { hands: watch::Sender::new(Hands { wall: start, monotonic: Duration::ZERO }) }
    }

    /// Lets time pass on both clocks.
    pub fn advance(&self, by: Duration) {
        self.hands.send_modify(|hands| {
            hands.wall = hands.wall.checked_add(by).unwrap_or(Timestamp::MAX);
            hands.monotonic = hands.monotonic.saturating_add(by);
        });
    }

    /// Lets time pass on both clocks until the wall clock shows `to`. When `to` is in the past only the wall clock
    /// moves, as the monotonic one cannot go back.
    pub fn set(&self, to: Timestamp) {
        self.hands.send_modify(|hands| {
            let passed = Duration::try_from(to.duration_since(hands.wall)).unwrap_or(Duration::ZERO);
            hands.wall = to;
            hands.monotonic = hands.monotonic.saturating_add(passed);
        });
    }

    /// Corrects the wall clock alone, as a time service or a person does.
    pub fn step_wall(&self, by: SignedDuration) {
        let end = if by.is_negative() { Timestamp::MIN } else { Timestamp::MAX };
        self.hands.send_modify(|hands| hands.wall = hands.wall.checked_add(by).unwrap_or(end));
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.hands.borrow().wall
    }

    fn monotonic(&self) -> Duration {
        self.hands.borrow().monotonic
    }

    fn both(&self) -> (Timestamp, Duration) {
        let hands = *self.hands.borrow();
        (hands.wall, hands.monotonic)
    }

    fn sleep_until(&self, moment: Duration) -> Sleep {
        let mut hands = self.hands.subscribe();
        Box::pin(async move {
            if hands.wait_for(|hands| hands.monotonic >= moment).await.is_err() {
                // The clock is gone, and no time passes any more.
                std::future::pending::<()>().await;
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn clock() -> ManualClock {
        ManualClock::new(Timestamp::from_second(1_000).unwrap())
    }

    #[test]
    fn both_hands_advance_together() {
        let clock = clock();
        clock.advance(Duration::from_secs(5));
        assert_eq!((clock.now().as_second(), clock.monotonic().as_secs()), (1_005, 5));
        clock.set(Timestamp::from_second(1_060).unwrap());
        assert_eq!((clock.now().as_second(), clock.monotonic().as_secs()), (1_060, 60));
    }

    #[test]
    fn a_step_moves_the_wall_clock_alone() {
        let clock = clock();
        clock.step_wall(SignedDuration::from_secs(-100));
        assert_eq!((clock.now().as_second(), clock.monotonic()), (900, Duration::ZERO));
    }

    #[test]
    fn the_monotonic_clock_never_goes_back() {
        let clock = clock();
        clock.advance(Duration::from_secs(7));
        clock.set(Timestamp::from_second(1).unwrap());
        assert_eq!((clock.now().as_second(), clock.monotonic().as_secs()), (1, 7));
    }

    #[test]
    fn a_clock_at_the_end_of_time_stays_there() {
        let clock = clock();
        clock.advance(Duration::MAX);
        assert_eq!(clock.now(), Timestamp::MAX);
        clock.step_wall(SignedDuration::MIN);
        assert!(clock.now() < Timestamp::UNIX_EPOCH);
    }

    fn has_ended(sleep: &mut Sleep) -> bool {
        sleep.as_mut().poll(&mut Context::from_waker(Waker::noop())) == Poll::Ready(())
    }

    #[test]
    fn a_wait_on_a_manual_clock_ends_when_its_hands_have_moved_far_enough() {
        let clock = clock();
        let mut sleep = clock.sleep(Duration::from_secs(10));
        assert!(!has_ended(&mut sleep));
        clock.advance(Duration::from_secs(9));
        clock.step_wall(SignedDuration::from_hours(5));
        assert!(!has_ended(&mut sleep), "a step of the wall clock is no time that passes");
        clock.advance(Duration::from_secs(1));
        assert!(has_ended(&mut sleep));
        assert!(
            has_ended(&mut clock.sleep_until(Duration::from_secs(3))),
            "a moment that is over is not waited for"
        );
    }

    #[tokio::test]
    async fn moving_the_hands_wakes_whoever_waits_on_another_thread() {
        let clock = std::sync::Arc::new(clock());
        let sleep = clock.sleep(Duration::from_hours(1));
        let mover = std::thread::spawn(move || clock.advance(Duration::from_hours(1)));
        tokio::time::timeout(Duration::from_secs(10), sleep).await.unwrap();
        mover.join().unwrap();
    }

    #[tokio::test]
    async fn the_system_clock_waits_as_long_as_it_was_told() {
        let clock = SystemClock::new();
        let began = clock.monotonic();
        clock.sleep(Duration::from_millis(30)).await;
        assert!(clock.monotonic() >= began + Duration::from_millis(30));
        assert!(!has_ended(&mut clock.sleep(Duration::MAX)));
    }

    #[test]
    fn the_system_clock_runs() {
        let clock = SystemClock::new();
        let before = clock.monotonic();
        assert!(clock.now() > Timestamp::from_second(1_700_000_000).unwrap());
        assert!(clock.monotonic() >= before);
    }
}
