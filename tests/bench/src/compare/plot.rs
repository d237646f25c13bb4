//! Plots as SVG.

use std::error::Error;
use std::path::Path;

use plotters::coord::ranged1d::ValueFormatter;
use plotters::coord::types::RangedCoordf64 as RangedX;
use plotters::prelude::*;

use super::situation::Side;

/// A picture of one or more panels, one below the other.
#[derive(Debug)]
pub(crate) struct Plot {
    /// The file's name, without its ending.
    pub(crate) name: String,
    pub(crate) panels: Vec<Panel>,
}

/// One pair of axes.
#[derive(Debug)]
pub(crate) struct Panel {
    pub(crate) title: String,
    pub(crate) x: &'static str,
    pub(crate) y: &'static str,
    pub(crate) shape: Shape,
    pub(crate) curves: Vec<Curve>,
    /// Moments to mark by an upright line.
    pub(crate) marks: Vec<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// The points joined.
    Line,
    /// The same with powers of ten upwards; what is not above 0 is left out.
    LogLine,
    /// A bar from the ground up for each point, as wide as the points are apart.
    Bars,
}

/// What one side showed.
#[derive(Debug)]
pub(crate) struct Curve {
    pub(crate) name: String,
    pub(crate) color: RGBColor,
    pub(crate) points: Vec<(f64, f64)>,
}

impl Curve {
    /// In the side's colour.
    pub(crate) fn of(side: Side, points: &[(f64, f64)]) -> Self {
        // Both are told apart by people who don't see red or green.
        let color = match side {
            Side::BuiltIn => RGBColor(0xd5, 0x5e, 0x00),
            Side::Ours => RGBColor(0x00, 0x72, 0xb2),
        };
        Self {
            name: side.name().to_owned(),
            color,
            points: points.to_vec(),
        }
    }

    /// With another name.
    pub(crate) fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// In another shade: 0 is the side's colour, 1 is white.
    pub(crate) fn lighter(mut self, share: f64) -> Self {
        let shade = |part: u8| (f64::from(part) + (255.0 - f64::from(part)) * share) as u8;
        let RGBColor(red, green, blue) = self.color;
        self.color = RGBColor(shade(red), shade(green), shade(blue));
        self
    }
}

const WIDTH: u32 = 900;
const HEIGHT: u32 = 300;

impl Plot {
    /// Writes it into `folder`.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), Box<dyn Error>> {
        let path = folder.join(format!("{}.svg", self.name));
        let panels = self.panels.len().max(1);
        let height = HEIGHT * u32::try_from(panels)?;
        let root = SVGBackend::new(&path, (WIDTH, height)).into_drawing_area();
        root.fill(&WHITE).map_err(|error| error.to_string())?;
        for (panel, area) in self.panels.iter().zip(root.split_evenly((panels, 1))) {
            let alike = self.panels.iter().filter(|other| match panel.shape {
                Shape::Bars => std::ptr::eq(*other, panel),
                shape => other.shape == shape,
            });
            let limits = Limits::of(alike.flat_map(|panel| &panel.curves));
            let drawn = panel.draw(&area, &limits);
            drawn.map_err(|error| error.to_string())?;
        }
        root.present().map_err(|error| error.to_string())?;
        Ok(())
    }
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

/// What the axes reach from and to: the same for all panels of lines, so that
/// they can be held against each other.
#[derive(Debug)]
struct Limits {
    wide: f64,
    /// The least figure above 0.
    low: f64,
    high: f64,
}

impl Limits {
    fn of<'a>(curves: impl Iterator<Item = &'a Curve>) -> Self {
        let mut limits = Self {
            wide: f64::MIN_POSITIVE,
            low: f64::INFINITY,
            high: f64::MIN_POSITIVE,
        };
        for (x, y) in curves.flat_map(|curve| &curve.points) {
            limits.wide = limits.wide.max(*x);
            limits.high = limits.high.max(*y);
            if *y > 0.0 {
                limits.low = limits.low.min(*y);
            }
        }
        limits
    }
}

impl Panel {
    fn draw(&self, area: &Area<'_>, limits: &Limits) -> Result<(), Box<dyn Error>> {
        let wide = limits.wide * 1.02;
        let mut builder = ChartBuilder::on(area);
        builder
            .caption(&self.title, ("sans-serif", 16))
            .margin(10)
            .x_label_area_size(40)
            .y_label_area_size(70);
        if self.shape == Shape::LogLine {
            // Room for the names of the curves, here and below.
            let high = limits.high * 5.0;
            let low = limits.low.min(high) * 0.8;
            let chart = builder.build_cartesian_2d(0.0..wide, (low..high).log_scale())?;
            self.fill(chart, low, high)
        } else {
            let high = limits.high * 1.4;
            let chart = builder.build_cartesian_2d(0.0..wide, 0.0..high)?;
            self.fill(chart, 0.0, high)
        }
    }

    fn fill<'a, 'b: 'a, Y>(
        &self,
        mut chart: ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedX, Y>>,
        low: f64,
        high: f64,
    ) -> Result<(), Box<dyn Error>>
    where
        Y: Ranged<ValueType = f64> + ValueFormatter<f64>,
    {
        let mesh = &mut chart.configure_mesh();
        mesh.x_desc(self.x).y_desc(self.y).light_line_style(WHITE);
        mesh.bold_line_style(BLACK.mix(0.08));
        mesh.draw()?;
        for mark in &self.marks {
            let line = PathElement::new(vec![(*mark, low), (*mark, high)], BLACK.mix(0.6));
            chart.draw_series([line])?;
        }
        for curve in &self.curves {
            let style = curve.color.stroke_width(2);
            let drawn = if self.shape == Shape::Bars {
                let width = apart(&curve.points);
                let bar = |(x, y): &(f64, f64)| {
                    Rectangle::new([(*x, 0.0), (x + width, *y)], curve.color.mix(0.6).filled())
                };
                chart.draw_series(curve.points.iter().map(bar))?
            } else {
                let shown = |point: &&(f64, f64)| self.shape == Shape::Line || point.1 > 0.0;
                let points = curve.points.iter().filter(shown).copied();
                chart.draw_series(LineSeries::new(points, style))?
            };
            let sample = move |(x, y)| PathElement::new(vec![(x, y), (x + 20, y)], style);
            drawn.label(&curve.name).legend(sample);
        }
        let labels = &mut chart.configure_series_labels();
        labels.position(SeriesLabelPosition::UpperRight);
        labels.background_style(WHITE.mix(0.8));
        labels.draw()?;
        Ok(())
    }
}

/// The least step from one point to the next.
fn apart(points: &[(f64, f64)]) -> f64 {
    let steps = points.windows(2).map(|pair| pair[1].0 - pair[0].0);
    let least = steps.fold(f64::INFINITY, f64::min);
    if least.is_finite() { least } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_hold_every_point_and_logarithms_none_of_zero() {
        let curves = [
            Curve::of(Side::Ours, &[(1.0, 0.0), (2.0, 5.0)]),
            Curve::of(Side::BuiltIn, &[(3.0, 0.5)]),
        ];
        let limits = Limits::of(curves.iter());
        assert_eq!((limits.wide, limits.low, limits.high), (3.0, 0.5, 5.0));
    }
}
