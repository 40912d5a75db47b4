package sim

import (
	"hash/fnv"
	"math"
	"time"
)

// dice are random numbers without state: the k-th throw of a named stream is
// always the same, whoever asks and in which order.
type dice uint64

func newDice(seed uint64, stream string) dice {
	h := fnv.New64a()
	_, _ = h.Write([]byte(stream)) // never an error
	return dice(scramble(seed ^ h.Sum64()))
}

// scramble is the finaliser of SplitMix64 (Steele, Lea and Flood 2014).
func scramble(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// unit returns throw k, uniform in [0, 1).
func (d dice) unit(k int64) float64 {
	return float64(scramble(uint64(d)^scramble(uint64(k)))>>11) / (1 << 53)
}

// normal returns throw k of a standard normal distribution.
func (d dice) normal(k int64) float64 {
	u, v := 1-d.unit(2*k), d.unit(2*k+1)
	return math.Sqrt(-2*math.Log(u)) * math.Cos(2*math.Pi*v)
}

// wander is a slow random walk around 0 with a standard deviation below 1:
// straight lines between normal throws, one per knot.
func (d dice) wander(t, knot time.Duration) float64 {
	k := int64(t / knot)
	share := float64(t%knot) / float64(knot)
	return d.normal(k)*(1-share) + d.normal(k+1)*share
}
