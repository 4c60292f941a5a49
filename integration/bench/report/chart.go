package report

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// Chart is lines of points over two logarithmic axes.
type Chart struct {
	Title, X, Y string
	Series      []Series
}

// Series is the points of one library, by growing X.
type Series struct {
	Name   string
	Points []Point
}

// Point is one of them; both numbers are positive.
type Point struct{ X, Y float64 }

const (
	chartWidth, chartHeight = 460, 320
	left, right, top, low   = 70, 20, 36, 46
)

// colours tell series apart, also for those who do not see all colours.
var colours = []string{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00"}

// SVG draws charts beside each other.
func SVG(charts ...Chart) string {
	const perLine = 2
	lines := (len(charts) + perLine - 1) / perLine
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12">`+"\n",
		perLine*chartWidth, lines*chartHeight)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="white"/>`+"\n")
	for i, c := range charts {
		fmt.Fprintf(&b, `<g transform="translate(%d,%d)">`+"\n", i%perLine*chartWidth, i/perLine*chartHeight)
		c.draw(&b)
		b.WriteString("</g>\n")
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// axis maps the logarithm of a range to pixels.
type axis struct{ from, to, low, high float64 }

// newAxis covers values, widened to whole decades.
func newAxis(values []float64, from, to float64) axis {
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range values {
		low, high = min(low, math.Log10(v)), max(high, math.Log10(v))
	}
	low, high = math.Floor(low), math.Ceil(high)
	if high <= low {
		high = low + 1
	}
	return axis{from, to, low, high}
}

func (a axis) at(v float64) float64 {
	return a.from + (math.Log10(v)-a.low)/(a.high-a.low)*(a.to-a.from)
}

func (c Chart) draw(b *strings.Builder) {
	fmt.Fprintf(b, `<text x="%d" y="20" font-weight="bold">%s</text>`+"\n", left, html.EscapeString(c.Title))
	var xs, ys []float64
	for _, s := range c.Series {
		for _, p := range s.Points {
			if p.X > 0 && p.Y > 0 {
				xs, ys = append(xs, p.X), append(ys, p.Y)
			}
		}
	}
	if len(xs) == 0 {
		fmt.Fprintf(b, `<text x="%d" y="60">not measured</text>`+"\n", left)
		return
	}
	x, y := newAxis(xs, left, chartWidth-right), newAxis(ys, chartHeight-low, top)
	for d := x.low; d <= x.high; d++ {
		v := math.Pow(10, d)
		fmt.Fprintf(b, `<line x1="%[1]g" y1="%[2]d" x2="%[1]g" y2="%[3]d" stroke="#ddd"/><text x="%[1]g" y="%[4]d" text-anchor="middle">%[5]s</text>`+"\n",
			x.at(v), top, chartHeight-low, chartHeight-low+16, decade(v))
	}
	for d := y.low; d <= y.high; d++ {
		v := math.Pow(10, d)
		fmt.Fprintf(b, `<line x1="%d" y1="%[2]g" x2="%[3]d" y2="%[2]g" stroke="#ddd"/><text x="%[4]d" y="%[5]g" text-anchor="end">%[6]s</text>`+"\n",
			left, y.at(v), chartWidth-right, left-6, y.at(v)+4, decade(v))
	}
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="middle">%s</text>`+"\n", (left+chartWidth-right)/2, chartHeight-10, html.EscapeString(c.X))
	fmt.Fprintf(b, `<text transform="translate(16,%d) rotate(-90)" text-anchor="middle">%s</text>`+"\n", (top+chartHeight-low)/2, html.EscapeString(c.Y))
	for i, s := range c.Series {
		c.line(b, s, x, y, i)
	}
}

func (c Chart) line(b *strings.Builder, s Series, x, y axis, i int) {
	colour := colours[i%len(colours)]
	var path []string
	for _, p := range s.Points {
		if p.X <= 0 || p.Y <= 0 {
			continue
		}
		path = append(path, fmt.Sprintf("%.1f,%.1f", x.at(p.X), y.at(p.Y)))
		fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`+"\n", x.at(p.X), y.at(p.Y), colour)
	}
	fmt.Fprintf(b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", strings.Join(path, " "), colour)
	fmt.Fprintf(b, `<text x="%d" y="%d" fill="%s">%s</text>`+"\n", left+8, top+16+15*i, colour, html.EscapeString(s.Name))
}

func decade(v float64) string {
	if v < 1 {
		return fmt.Sprintf("%g", v)
	}
	return thousands(int64(math.Round(v)))
}
