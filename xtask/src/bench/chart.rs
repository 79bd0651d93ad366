//! Curves as a picture: panels side by side, both axes logarithmic, so that a straight line at 45°
//! is linear growth.

use std::fmt::Write as _;

/// A curve: its name, and points of positive numbers by x.
pub(super) struct Curve {
    pub(super) name: &'static str,
    pub(super) points: Vec<(f64, f64)>,
}

/// One panel.
pub(super) struct Chart {
    pub(super) title: String,
    pub(super) curves: Vec<Curve>,
}

const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 300.0;
const MARGIN: f64 = 50.0;
const COLOURS: [&str; 4] = ["#1b6ca8", "#c2571a", "#4a7c59", "#7a4988"];

/// The panels as an SVG document.
pub(super) fn svg(charts: &[Chart]) -> String {
    let width = WIDTH * charts.len() as f64;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"{width}\" height=\"{HEIGHT}\" fill=\"white\"/>\n"
    );
    for (nth, chart) in charts.iter().enumerate() {
        panel(chart, WIDTH * nth as f64, &mut text);
    }
    text.push_str("</svg>\n");
    text
}

fn panel(chart: &Chart, left: f64, text: &mut String) {
    let points = || chart.curves.iter().flat_map(|curve| &curve.points);
    let x = Axis::of(points().map(|point| point.0), left + MARGIN, left + WIDTH - 20.0);
    let y = Axis::of(points().map(|point| point.1), HEIGHT - MARGIN, 30.0);
    let _ = writeln!(
        text,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
        left + WIDTH / 2.0,
        HEIGHT - 12.0,
        chart.title
    );
    for (value, at) in x.decades() {
        grid(text, (at, y.from), (at, y.to));
        let _ = writeln!(
            text,
            "<text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            HEIGHT - MARGIN + 16.0,
            short(value)
        );
    }
    for (value, at) in y.decades() {
        grid(text, (x.from, at), (x.to, at));
        let _ = writeln!(
            text,
            "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            x.from - 6.0,
            at + 4.0,
            short(value)
        );
    }
    for (nth, curve) in chart.curves.iter().enumerate() {
        draw(curve, COLOURS[nth % COLOURS.len()], (&x, &y), nth, text);
    }
}

fn grid(text: &mut String, from: (f64, f64), to: (f64, f64)) {
    let _ = writeln!(
        text,
        "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"#dddddd\"/>",
        from.0, from.1, to.0, to.1
    );
}

fn draw(curve: &Curve, colour: &str, (x, y): (&Axis, &Axis), nth: usize, text: &mut String) {
    let places: Vec<(f64, f64)> =
        curve.points.iter().map(|point| (x.place(point.0), y.place(point.1))).collect();
    let line: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let _ = writeln!(
        text,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
        line.join(" ")
    );
    for (at_x, at_y) in places {
        let _ =
            writeln!(text, "<circle cx=\"{at_x:.1}\" cy=\"{at_y:.1}\" r=\"3\" fill=\"{colour}\"/>");
    }
    let _ = writeln!(
        text,
        "<text x=\"{}\" y=\"{}\" fill=\"{colour}\">{}</text>",
        x.from + 10.0,
        18.0 + 14.0 * nth as f64,
        curve.name
    );
}

/// A logarithmic axis between two places.
struct Axis {
    /// Powers of ten at its ends.
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Axis {
    fn of(values: impl Iterator<Item = f64> + Clone, from: f64, to: f64) -> Self {
        let least = values.clone().fold(f64::INFINITY, f64::min);
        let most = values.fold(0.0, f64::max);
        let (low, high) =
            if least > most { (0.0, 1.0) } else { (least.log10().floor(), most.log10().ceil()) };
        Self { low, high: high.max(low + 1.0), from, to }
    }

    fn place(&self, value: f64) -> f64 {
        self.from + (value.log10() - self.low) / (self.high - self.low) * (self.to - self.from)
    }

    fn decades(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        let powers = (self.low as i32)..=(self.high as i32);
        powers.map(|power| 10_f64.powi(power)).map(|value| (value, self.place(value)))
    }
}

/// 10000000 as 10 M.
fn short(value: f64) -> String {
    match value {
        _ if value >= 1e6 => format!("{} M", value / 1e6),
        _ if value >= 1e3 => format!("{} k", value / 1e3),
        _ => format!("{value}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decades_lie_evenly_on_an_axis() {
        let axis = Axis::of([1.0, 100.0].into_iter(), 0.0, 200.0);
        let places: Vec<(f64, f64)> = axis.decades().collect();
        assert_eq!(places, [(1.0, 0.0), (10.0, 100.0), (100.0, 200.0)]);
        assert_eq!(
            (short(1e7), short(2e4), short(0.1)),
            ("10 M".into(), "20 k".into(), "0.1".into())
        );
    }

    #[test]
    fn a_chart_without_points_is_still_a_picture() {
        let chart = Chart { title: "none".into(), curves: Vec::new() };
        assert!(svg(&[chart]).contains("none"));
    }
}
