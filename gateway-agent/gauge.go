package agent

import (
	"context"
	"time"

	"nirapod/gateway-agent/device/register"
)

// gauge samples one number of a Modbus unit.
type gauge struct {
	dev    *register.Dev
	sensor string
	period time.Duration
	mono   func() int64
	emit   emit
	edge   edge
}

func (g *gauge) run(ctx context.Context) error {
	tick := time.NewTicker(g.period)
	defer tick.Stop()
	for {
		g.poll()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

func (g *gauge) poll() {
	r, err := g.dev.Read(ms(g.mono()))
	g.edge.report(err)
	r.Sensor = g.sensor
	g.emit(sample{r, g.mono()})
}
