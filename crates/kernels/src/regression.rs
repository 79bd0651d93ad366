//! Least-squares lines through points of whole numbers (F24), and the means and deviations of their
//! coordinates.
//!
//! The state is the number of points and Σx, Σy, Σx², Σy² and Σxy, exact in 128 bits. As a list it
//! is n and the five sums in this order, each as its upper 64 bits and its lower 64; without a
//! point the list is empty. A list of another length counts as absent, and so does one whose n is
//! not positive or whose sum of squares is negative.
//!
//! **Overflow.** n, Σx² and Σy² stop at their largest value, and of a state in which one did
//! nothing is known but n. Σx, Σy and Σxy wrap around. Numbers that only grow and stop, and
//! numbers that wrap, come out the same in any order and any tree of merges. Where no sum of
//! squares stopped none of the others has wrapped: |Σx| ≤ Σx², because |x| ≤ x² for whole numbers,
//! and |Σxy| ≤ √(Σx² Σy²) (Cauchy and Schwarz), all of them below 2^127.

/// Numbers of a state.
const STATE_LEN: usize = 11;

/// Points that a line is laid through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Regression {
    n: i64,
    x: i128,
    y: i128,
    xx: i128,
    yy: i128,
    xy: i128,
}

impl Regression {
    /// No point.
    #[must_use]
    pub const fn new() -> Self {
        Self { n: 0, x: 0, y: 0, xx: 0, yy: 0, xy: 0 }
    }

    /// Adds a point.
    pub fn add(&mut self, x: i64, y: i64) {
        let (x, y) = (i128::from(x), i128::from(y));
        self.add_all(&Self { n: 1, x, y, xx: x * x, yy: y * y, xy: x * y });
    }

    /// Adds the points of a state.
    pub fn merge(&mut self, state: &[i64]) {
        if let Some(points) = Self::of(state) {
            self.add_all(&points);
        }
    }

    /// The state.
    #[must_use]
    pub fn to_state(&self) -> Vec<i64> {
        let mut state = Vec::with_capacity(self.state_len());
        self.append_state(&mut state);
        state
    }

    /// Numbers that the state has.
    #[must_use]
    pub const fn state_len(&self) -> usize {
        if self.n == 0 { 0 } else { STATE_LEN }
    }

    /// Puts the state at the end of a list.
    pub fn append_state(&self, state: &mut Vec<i64>) {
        if self.n == 0 {
            return;
        }
        state.push(self.n);
        let sums = [self.x, self.y, self.xx, self.yy, self.xy];
        state.extend(sums.iter().flat_map(|sum| [(sum >> 64) as i64, *sum as i64]));
    }

    /// Bytes on the heap: none.
    #[must_use]
    pub const fn size(&self) -> usize {
        0
    }

    fn of(state: &[i64]) -> Option<Self> {
        let [n, sums @ ..] = <&[i64; STATE_LEN]>::try_from(state).ok()?;
        let sum = |at: usize| {
            i128::from(sums[2 * at]) << 64 | i128::from(sums[2 * at + 1].cast_unsigned())
        };
        let [x, y, xx, yy, xy] = std::array::from_fn(sum);
        (*n > 0 && xx >= 0 && yy >= 0).then_some(Self { n: *n, x, y, xx, yy, xy })
    }

    /// A state of which more is known than n.
    fn whole(state: &[i64]) -> Option<Self> {
        let stopped = |sums: &Self| sums.n == i64::MAX || sums.xx.max(sums.yy) == i128::MAX;
        Self::of(state).filter(|sums| !stopped(sums))
    }

    fn add_all(&mut self, points: &Self) {
        self.n = self.n.saturating_add(points.n);
        self.x = self.x.wrapping_add(points.x);
        self.y = self.y.wrapping_add(points.y);
        self.xx = self.xx.saturating_add(points.xx);
        self.yy = self.yy.saturating_add(points.yy);
        self.xy = self.xy.wrapping_add(points.xy);
    }

    /// x and y changed for each other.
    const fn turned(self) -> Self {
        Self { x: self.y, y: self.x, xx: self.yy, yy: self.xx, ..self }
    }

    /// n Σx² − (Σx)²: n² times the variance of x. `None` where it is negative, which only a state
    /// that no points make can be.
    fn spread(&self) -> Option<f64> {
        Some(cross([self.n.into(), self.xx], [self.x, self.x])).filter(|spread| *spread >= 0.0)
    }

    /// The same, if not all x are alike.
    fn some_spread(&self) -> Option<f64> {
        self.spread().filter(|spread| *spread > 0.0)
    }

    /// n Σxy − Σx Σy: n² times the covariance.
    fn shared(&self) -> f64 {
        cross([self.n.into(), self.xy], [self.x, self.y])
    }

    fn mean(&self) -> f64 {
        self.x as f64 / self.n as f64
    }

    fn deviation(&self) -> Option<f64> {
        Some(self.spread()?.sqrt() / self.n as f64)
    }
}

/// The number of points of a state; stops at `i64::MAX`.
#[must_use]
pub fn points(state: &[i64]) -> i64 {
    Regression::of(state).map_or(0, |sums| sums.n)
}

/// The slope of the line through the points of a state that has the least Σ(y − line)²:
/// (n Σxy − Σx Σy) / (n Σx² − (Σx)²). `None` where all x are alike, and without a point.
#[must_use]
pub fn slope(state: &[i64]) -> Option<f64> {
    let sums = Regression::whole(state)?;
    Some(sums.shared() / sums.some_spread()?)
}

/// Where that line is at x = 0: (Σy Σx² − Σx Σxy) / (n Σx² − (Σx)²). `None` where [`slope`] is.
#[must_use]
pub fn intercept(state: &[i64]) -> Option<f64> {
    let sums = Regression::whole(state)?;
    Some(cross([sums.y, sums.xx], [sums.x, sums.xy]) / sums.some_spread()?)
}

/// Pearson's r, −1 to 1. `None` where all x or all y are alike, and without a point.
#[must_use]
pub fn correlation(state: &[i64]) -> Option<f64> {
    let sums = Regression::whole(state)?;
    let spreads = sums.some_spread()? * sums.turned().some_spread()?;
    Some((sums.shared() / spreads.sqrt()).clamp(-1.0, 1.0))
}

/// The mean of x. `None` without a point.
#[must_use]
pub fn mean_x(state: &[i64]) -> Option<f64> {
    Some(Regression::whole(state)?.mean())
}

/// The mean of y. `None` without a point.
#[must_use]
pub fn mean_y(state: &[i64]) -> Option<f64> {
    Some(Regression::whole(state)?.turned().mean())
}

/// The population σ of x: √(n Σx² − (Σx)²) / n. `None` without a point.
#[must_use]
pub fn sigma_x(state: &[i64]) -> Option<f64> {
    Regression::whole(state)?.deviation()
}

/// The population σ of y. `None` without a point.
#[must_use]
pub fn sigma_y(state: &[i64]) -> Option<f64> {
    Regression::whole(state)?.turned().deviation()
}

/// a b − c d, exact in 256 bits and rounded at the end, to within a unit in the last place.
fn cross([a, b]: [i128; 2], [c, d]: [i128; 2]) -> f64 {
    let ((low, high), (less_low, less_high)) = (product(a, b), product(c, d));
    let (low, borrow) = low.overflowing_sub(less_low);
    let high = high.wrapping_sub(less_high).wrapping_sub(u128::from(borrow));
    if high.cast_signed() < 0 {
        let (low, high) = negated(low, high);
        return -double(low, high);
    }
    double(low, high)
}

/// The lower and upper half of a product of signed numbers in 256 bits.
fn product(a: i128, b: i128) -> (u128, u128) {
    let (low, high) = a.unsigned_abs().carrying_mul(b.unsigned_abs(), 0);
    if (a < 0) == (b < 0) { (low, high) } else { negated(low, high) }
}

const fn negated(low: u128, high: u128) -> (u128, u128) {
    let (low, carry) = (!low).overflowing_add(1);
    (low, (!high).wrapping_add(carry as u128))
}

fn double(low: u128, high: u128) -> f64 {
    /// 2^128.
    const HIGH_UNIT: f64 = 2.0 * (1_u128 << 127) as f64;
    high as f64 * HIGH_UNIT + low as f64
}

#[cfg(test)]
mod tests;
