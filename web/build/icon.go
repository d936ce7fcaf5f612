package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
)

// The icon's colours, those of icon.svg.
const (
	iconGround = 0x1d2430
	iconRing   = 0xf4f6f9
	iconHalf   = 0x6ea8ff
)

// drawIcon draws the mark, a ring whose right half is filled, as a square PNG. A maskable one fills the whole
// square and keeps the mark within the circle that no platform cuts off.
func drawIcon(size int, maskable bool) ([]byte, error) {
	const fine = 4 // samples a pixel and direction, against jagged edges
	img := image.NewNRGBA(image.Rect(0, 0, size, size))
	for y := range size {
		for x := range size {
			var r, g, b, a float64
			for s := range fine * fine {
				u := (float64(x) + (float64(s%fine)+0.5)/fine) / float64(size) * 64
				v := (float64(y) + (float64(s/fine)+0.5)/fine) / float64(size) * 64
				c, opaque := iconAt(u, v, maskable)
				if !opaque {
					continue
				}
				r += float64(c >> 16 & 0xff)
				g += float64(c >> 8 & 0xff)
				b += float64(c & 0xff)
				a++
			}
			if a > 0 {
				img.SetNRGBA(x, y, color.NRGBA{
					R: uint8(r / a), G: uint8(g / a), B: uint8(b / a), A: uint8(a * 255 / (fine * fine)),
				})
			}
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		return nil, fmt.Errorf("draw an icon: %w", err)
	}
	return out.Bytes(), nil
}

// iconAt returns the colour of a point of the icon, whose sides are 64 long.
func iconAt(x, y float64, maskable bool) (rgb int, opaque bool) {
	const centre, radius, stroke, corner = 32, 17, 5, 14
	if !maskable && outsideRounded(x, y, corner) {
		return 0, false
	}
	d := math.Hypot(x-centre, y-centre)
	switch {
	case d <= radius && x >= centre && d <= radius-stroke/2:
		return iconHalf, true
	case d >= radius-stroke/2 && d <= radius+stroke/2:
		return iconRing, true
	}
	return iconGround, true
}

// outsideRounded reports whether a point lies in a corner that is cut off with radius r.
func outsideRounded(x, y, r float64) bool {
	dx := max(r-x, x-(64-r), 0)
	dy := max(r-y, y-(64-r), 0)
	return math.Hypot(dx, dy) > r
}
