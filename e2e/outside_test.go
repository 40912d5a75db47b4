package e2e

import (
	"context"
	"log/slog"

	"nirapod/app"
	"nirapod/internal/influxtest"
	"nirapod/internal/mosquittotest"
	"nirapod/store"
	"nirapod/store/influxstore"
)

// outside are the parts that are not Nirapod's.
type outside struct {
	mosquitto *mosquittotest.Server
	influx    *influxtest.Server
}

// startOutside runs an InfluxDB with a bucket, and prepares a Mosquitto, in the
// place of the embedded parts.
func (p *plant) startOutside() {
	t := p.t
	t.Helper()
	o := &outside{mosquittotest.New(t), influxtest.Prepare(t)}
	run := func(label string, line []string) *process { return spawn(t, p.dir, label, line[0], nil, line[1:]...) }
	p.outside = o
	p.broker, p.influx = run("mosquitto", o.mosquitto.Command()), run("influxd", o.influx.Command())
	p.gatewayDoor, p.serverDoor = o.mosquitto.Gateways, o.mosquitto.Server
	p.influx.start()
	o.influx.Await()
	o.influx.CreateDatabase(influxtest.Database)
}

func (o *outside) configure(cfg *app.Config) {
	cfg.Broker.Mosquitto.Dir = o.mosquitto.Dir
	cfg.Series.Kind, cfg.Series.URL, cfg.Series.Bucket = app.Influx, o.influx.URL, influxtest.Bucket(influxtest.Database)
}

func (o *outside) open(ctx context.Context) (store.Store, error) {
	return influxstore.Open(ctx, influxstore.Options{URL: o.influx.URL, Bucket: influxtest.Bucket(influxtest.Database)}, slog.New(slog.DiscardHandler))
}
