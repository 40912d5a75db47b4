package agent_test

import (
	"testing"
	"time"

	sim "nirapod/firmware-sim"
	"nirapod/safety"
)

// What can be wrong with the SCD41 and with the boiler's gauge reaches people as
// the reason why there is no value, and ends when it is put right.
func TestEachFaultOfAirAndPressureHasItsReason(t *testing.T) {
	b := newBox(t)
	for i := range b.cfg.Sensors {
		if m := b.cfg.Sensors[i].Modbus; m != nil {
			m.Stuck = 10 * time.Second
		}
	}
	b.start()
	b.eventually(30*time.Second, func() bool { return b.log.said(0, "device identified") }, "the SCD41 is not met")
	faults := map[string][]struct {
		fault sim.Fault
		want  safety.Reason
	}{
		"rs485-1/3": {
			{sim.Fault{Kind: sim.NACK}, safety.Timeout}, {sim.Fault{Kind: sim.BadCRC}, safety.CRC},
			{sim.Fault{Kind: sim.Exception}, safety.Implausible}, {sim.Fault{Kind: sim.Exception, Value: 6}, safety.NACK},
			{sim.Fault{Kind: sim.WrongUnit}, safety.Stale}, {sim.Fault{Kind: sim.Late}, safety.Timeout},
			{sim.Fault{Kind: sim.TransmitterFault}, safety.Implausible}, {sim.Fault{Kind: sim.Range}, safety.OutOfRange},
			{sim.Fault{Kind: sim.Frozen}, safety.Stuck},
		},
		"i2c-1/0x62": {
			{sim.Fault{Kind: sim.NACK}, safety.NACK}, {sim.Fault{Kind: sim.BadCRC}, safety.CRC},
			{sim.Fault{Kind: sim.Range}, safety.OutOfRange}, {sim.Fault{Kind: sim.Range, Value: -1}, safety.OutOfRange},
			{sim.Fault{Kind: sim.Busy}, safety.Timeout},
		},
	}
	if !testing.Short() {
		faults["i2c-1/0x62"] = append(faults["i2c-1/0x62"], struct {
			fault sim.Fault
			want  safety.Reason
		}{sim.Fault{Kind: sim.Frozen}, safety.Stuck})
	}
	for target, sensor := range map[string]string{"rs485-1/3": "boiler-pressure", "i2c-1/0x62": "sewing-co2"} {
		t.Run(sensor, func(t *testing.T) {
			t.Parallel()
			for _, c := range faults[target] {
				from := b.log.count()
				c.fault.Target = target
				if err := b.world.Inject(c.fault); err != nil {
					t.Fatal(err)
				}
				b.eventually(45*time.Second, func() bool { return b.log.said(from, "sensor is not good", "sensor="+sensor, "reason="+string(c.want)) },
					"%s %g does not become %s of %s", c.fault.Kind, c.fault.Value, c.want, sensor)
				from = b.log.count()
				if err := b.world.Repair(target); err != nil {
					t.Fatal(err)
				}
				b.eventually(30*time.Second, func() bool { return b.log.said(from, "sensor is good again", "sensor="+sensor) },
					"%s is not good again after %s", sensor, c.fault.Kind)
			}
		})
	}
}
