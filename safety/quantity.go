package safety

import "fmt"

// Quantity is what a sensor measures. Its unit is fixed: see Unit.
type Quantity string

// Unit is the unit in which values of a quantity are given everywhere inside
// Nirapod. Drivers convert once, at the edge.
type Unit string

// The quantities. Switches (Smoke, CallPoint, DoorOpen, Locked, Key, ...) are 0 or 1.
const (
	Temperature        Quantity = "temperature"
	MachineTemperature Quantity = "machine_temperature"
	GlobeTemperature   Quantity = "globe_temperature" // of a black globe
	WetBulb            Quantity = "wet_bulb"          // of a wet bulb that nobody fans: the natural one
	Humidity           Quantity = "humidity"
	SmokeOD            Quantity = "smoke_od" // optical density, base 10, per metre
	Smoke              Quantity = "smoke"    // alarm contact of a smoke head: 1 = in alarm
	Flame              Quantity = "flame"    // alarm contact of a flame detector: 1 = in alarm
	CallPoint          Quantity = "call_point"
	DoorOpen           Quantity = "door_open" // 1 = leaf open
	Locked             Quantity = "locked"    // lock, bolt or chain of an exit: 1 = it cannot be opened
	Key                Quantity = "key"       // panel key or button: 1 = operated
	CO                 Quantity = "co"
	CO2                Quantity = "co2"
	H2S                Quantity = "h2s"
	NH3                Quantity = "nh3"
	CL2                Quantity = "cl2"
	VOC                Quantity = "voc"
	O2                 Quantity = "o2"
	LEL                Quantity = "lel"         // share of the lower explosive limit
	People             Quantity = "people"      // in the room by a counter, the low end of what it vouches for
	PeopleHigh         Quantity = "people_high" // the high end: at most so many are in the room
	Motion             Quantity = "motion"
	Light              Quantity = "light"
	Vibration          Quantity = "vibration"
	Flow               Quantity = "flow"
	Pressure           Quantity = "pressure"
	Noise              Quantity = "noise"
	ExitConfirmed      Quantity = "exit_confirmed" // a warden's word at the door: 1 = it opens
	Mains              Quantity = "mains"          // supply of the gateway's socket: 1 = there
	Generator          Quantity = "generator"      // 1 = it runs
	Battery            Quantity = "battery"        // terminal voltage of a 12 V block
	ChargerFault       Quantity = "charger_fault"
	Tamper             Quantity = "tamper"       // door of the cabinet: 1 = open
	Undervoltage       Quantity = "undervoltage" // the computer's own supply: 1 = too low
)

var units = map[Quantity]Unit{
	Temperature: "Cel", MachineTemperature: "Cel", GlobeTemperature: "Cel", WetBulb: "Cel", Humidity: "%RH", SmokeOD: "1/m",
	Smoke: "/", Flame: "/", CallPoint: "/", DoorOpen: "/", Locked: "/", Key: "/", Motion: "/",
	CO: "ppm", CO2: "ppm", H2S: "ppm", NH3: "ppm", CL2: "ppm", VOC: "ppm",
	O2: "%", LEL: "%LEL", People: "count", PeopleHigh: "count", Light: "lx", Vibration: "mm/s",
	Flow: "L/min", Pressure: "bar", Noise: "dBA",
	ExitConfirmed: "/", Mains: "/", Generator: "/", Battery: "V", ChargerFault: "/", Tamper: "/", Undervoltage: "/",
}

// Unit returns the unit of q, or "" for an unknown quantity.
func (q Quantity) Unit() Unit { return units[q] }

// Validate returns an error wrapping ErrInvalid unless q is known.
func (q Quantity) Validate() error {
	if _, ok := units[q]; !ok {
		return fmt.Errorf("quantity %q: %w", q, ErrInvalid)
	}
	return nil
}

// Switch reports whether values of q are only 0 or 1.
func (q Quantity) Switch() bool { return units[q] == "/" }
