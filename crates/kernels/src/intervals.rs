//! 95 % intervals of shares after Wilson (1927): they stay inside 0..1 and hold for small n.

/// The normal quantile of a two-sided 95 % interval, as FEATURES fixes it.
pub const Z: f64 = 1.96;

/// Wilson's interval of `hits` of `n` trials. `None` where n < 1; `hits` is held within 0..=n.
#[must_use]
pub fn wilson(hits: i64, n: i64) -> Option<(f64, f64)> {
    (n >= 1).then(|| interval(hits.clamp(0, n) as f64 / n as f64, n as f64))
}

/// Wilson's interval of a share over `n` trials. `None` where n < 1 or the share is no number;
/// the share is held within 0..=1.
#[must_use]
pub fn wilson_share(share: f64, n: i64) -> Option<(f64, f64)> {
    (n >= 1 && !share.is_nan()).then(|| interval(share.clamp(0.0, 1.0), n as f64))
}

fn interval(share: f64, n: f64) -> (f64, f64) {
    let z2 = Z * Z;
    let scale = 1.0 + z2 / n;
    let centre = (share + z2 / (2.0 * n)) / scale;
    let half = Z * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt() / scale;
    // Exactly: low <= share <= high; rounding may miss it in the last bit.
    ((centre - half).clamp(0.0, share), (centre + half).clamp(share, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilson_of_known_shares() {
        let (low, high) = wilson(5, 10).expect("n is 10");
        assert!((low - 0.2366).abs() < 1e-4 && (high - 0.7634).abs() < 1e-4, "{low} {high}");
        let (low, high) = wilson(0, 10).expect("n is 10");
        assert!(low == 0.0 && (high - 0.2775).abs() < 1e-4, "{low} {high}");
        assert_eq!(wilson(10, 10).expect("n is 10").1, 1.0);
    }

    #[test]
    fn no_trials_have_no_interval() {
        assert_eq!(wilson(0, 0), None);
        assert_eq!(wilson_share(0.5, -1), None);
        assert_eq!(wilson_share(f64::NAN, 5), None);
        assert_eq!(wilson_share(0.5, 10), wilson(5, 10));
    }
}
