package agent

import (
	"crypto/tls"
	"crypto/x509"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"nirapod/gateway-agent/annunciate"
	"nirapod/gateway-agent/clock"
	"nirapod/gateway-agent/device/register"
	"nirapod/gateway-agent/device/rs485"
	"nirapod/internal/yamlfile"
	"nirapod/safety"
)

// Sample is a documented configuration, complete and valid but for the files
// it names.
//
//go:embed sample.yaml
var Sample []byte

// Config is the agent's file: the box, what is wired to it, and where it
// reports. sample.yaml explains each key.
type Config struct {
	Version  int                `yaml:"version"` // of the schema: 1
	Factory  string             `yaml:"factory"`
	Gateway  string             `yaml:"gateway"`
	Mode     Mode               `yaml:"mode"`
	Clock    clock.Mode         `yaml:"clock"`
	DataDir  string             `yaml:"data_dir"`
	RulesDir string             `yaml:"rules_dir"` // "" = the rules that come with the program
	Broker   Broker             `yaml:"broker"`
	Buses    map[string]Bus     `yaml:"buses"`
	Zones    []safety.Zone      `yaml:"zones"`
	Hazards  []safety.Hazmat    `yaml:"hazards"`
	Limits   []safety.SiteLimit `yaml:"limits"` // as in the site file
	Sensors  []Sensor           `yaml:"sensors"`
	Outputs  []Output           `yaml:"outputs"`
	Delays   annunciate.Delays  `yaml:"delays"`
	Attended []Hours            `yaml:"attended"` // when somebody is there to acknowledge; empty = never
}

// Mode says whether real people depend on this box.
type Mode string

// The modes.
const (
	Production Mode = "production" // refuses simulated buses
	Demo       Mode = "demo"
)

// Broker is where the agent reports. Its user name there is factory/gateway.
type Broker struct {
	URL          string `yaml:"url"`
	PasswordFile string `yaml:"password_file"`
	CAFile       string `yaml:"ca_file"` // whose certificates are accepted with tls://; "" = the system's
}

// Bus is an I2C bus, a bank of GPIO lines or an RS-485 line: what it is follows
// from its use.
type Bus struct {
	Open string `yaml:"open"`           // I2C: number or /dev/i2c-N; GPIO: chip such as gpiochip0; RS-485: rtu:///dev/ttyUSB0 or rtuovertcp://host:port; or sim://host:port/bus
	Baud uint   `yaml:"baud,omitempty"` // of a serial port; 0 = 19200
}

// Sensor is one measured quantity and how it is wired: exactly one of the
// wirings is set.
type Sensor struct {
	ID         string          `yaml:"id"`
	Zone       string          `yaml:"zone"`
	Quantity   safety.Quantity `yaml:"quantity"`
	Grade      safety.Grade    `yaml:"grade"`
	Class      string          `yaml:"class,omitempty"` // EN 54-5, for heat
	Period     time.Duration   `yaml:"period"`
	LifeSafety bool            `yaml:"life_safety"`
	Group      string          `yaml:"voting_group,omitempty"`

	HDC302x *HDC302x `yaml:"hdc302x,omitempty"`
	SCD41   *SCD41   `yaml:"scd41,omitempty"`
	EOL     *EOL     `yaml:"eol,omitempty"`
	Current *Current `yaml:"loop_4_20ma,omitempty"`
	Contact *Contact `yaml:"contact,omitempty"`
	Counter *Counter `yaml:"counter,omitempty"`
	Modbus  *Modbus  `yaml:"modbus,omitempty"`
}

// HDC302x is one of the two quantities of a temperature and humidity sensor.
type HDC302x struct {
	Bus  string `yaml:"bus"`
	Addr uint16 `yaml:"addr"`
}

// SCD41 is one of the three quantities of a CO2, temperature and humidity
// sensor. The sensors of one part say the same of it.
type SCD41 struct {
	Bus             string  `yaml:"bus"`
	Altitude        uint16  `yaml:"altitude_m,omitempty"`       // above the sea
	Pressure        uint16  `yaml:"pressure_hpa,omitempty"`     // goes before the altitude; 0 = by altitude
	SelfHeating     float64 `yaml:"self_heating_k,omitempty"`   // 0 = 4 K, as the maker has it
	SelfCalibration bool    `yaml:"self_calibration,omitempty"` // takes the week's lowest for fresh air
}

// EOL is a supervised loop on an input of an ADS1115. Its supply is measured
// on another input of the same part, so that only ratios matter.
type EOL struct {
	Bus     string  `yaml:"bus"`
	Addr    uint16  `yaml:"addr"`
	Input   int     `yaml:"input"`
	Supply  int     `yaml:"supply_input"`
	Volts   float64 `yaml:"supply_v"` // nominal
	Profile string  `yaml:"profile"`
}

// Current is a 4-20 mA transmitter over a shunt on an input of an ADS1115.
type Current struct {
	Bus   string     `yaml:"bus"`
	Addr  uint16     `yaml:"addr"`
	Input int        `yaml:"input"`
	Shunt float64    `yaml:"shunt_ohm"`
	Span  [2]float64 `yaml:"span"` // values at 4 and 20 mA
	Model string     `yaml:"model"`
}

// Contact is a switch on a GPIO line.
type Contact struct {
	Bus       string        `yaml:"bus"`
	Pin       string        `yaml:"pin"`
	ActiveLow bool          `yaml:"active_low,omitempty"` // operated = low
	Hold      time.Duration `yaml:"hold,omitempty"`       // debounce; 0 = 100 ms for a call point, else 50 ms
	Key       KeyUse        `yaml:"key,omitempty"`        // for quantity key: what it does
}

// Counter is one end of what a people counter vouches for: quantity people is
// the low end, people_high the high one.
type Counter struct {
	Bus  string `yaml:"bus"`
	Unit uint8  `yaml:"unit"` // Modbus address, 1 to 247
}

// Modbus is one number in the registers of a unit. Its maker's sheet says how
// it is laid out.
type Modbus struct {
	Bus       string        `yaml:"bus"`
	Unit      uint8         `yaml:"unit"`     // address, 1 to 247
	Register  uint16        `yaml:"register"` // on the wire, from 0: 40001 in a sheet is holding register 0
	Function  rs485.Table   `yaml:"function"` // input or holding
	Type      register.Type `yaml:"type"`
	WordOrder WordOrder     `yaml:"word_order,omitempty"` // of a float32; "" = high_first
	Scale     float64       `yaml:"scale,omitempty"`      // number × scale + offset is the value in the quantity's unit; 0 = 1
	Offset    float64       `yaml:"offset,omitempty"`
	Range     [2]float64    `yaml:"range"`                 // what the instrument can measure
	Stuck     time.Duration `yaml:"stuck_after,omitempty"` // unchanged for so long it is frozen; 0 = never
}

// WordOrder is which word of a number stands first.
type WordOrder string

// The orders.
const (
	HighFirst WordOrder = "high_first"
	LowFirst  WordOrder = "low_first"
)

// KeyUse is what a key or button does.
type KeyUse string

// The uses.
const (
	KeyAcknowledge KeyUse = "acknowledge" // somebody has seen the alert
	KeyPanel       KeyUse = "panel"       // silences the sounder, resets
)

// Output is an annunciator on a GPIO line.
type Output struct {
	ID        string     `yaml:"id"`
	Zone      string     `yaml:"zone"`
	Kind      OutputKind `yaml:"kind"`
	Bus       string     `yaml:"bus"`
	Pin       string     `yaml:"pin"`
	ActiveLow bool       `yaml:"active_low,omitempty"`
}

// OutputKind is what an output says.
type OutputKind string

// The kinds.
const (
	OutputStaff    OutputKind = "staff_alert"
	OutputEvacuate OutputKind = "evacuate"
	OutputBeacon   OutputKind = "beacon"
	OutputFault    OutputKind = "fault" // something that should watch does not
)

// Hours is a span of each day, local time of Asia/Dhaka, HH:MM to HH:MM; over
// midnight when From is later than To. 00:00 to 24:00 is always.
type Hours struct {
	From string `yaml:"from"`
	To   string `yaml:"to"`
}

// Defaults returns what holds for keys that a file leaves out.
func Defaults() Config {
	return Config{
		Mode:   Production,
		Clock:  clock.Auto,
		Delays: annunciate.Delays{V1: 30 * time.Second, V2: 180 * time.Second},
	}
}

// Load reads and checks a file. All mistakes are returned at once, with file
// and line, wrapping safety.ErrInvalid.
func Load(name string) (Config, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return Config{}, err
	}
	return Parse(name, data)
}

// Parse is Load for text; name is how messages call it.
func Parse(name string, data []byte) (Config, error) {
	c := Defaults()
	f, err := yamlfile.Parse(name, data, &c)
	if f.Line("") == 0 {
		return Config{}, err // not YAML: nothing can be said about its meaning
	}
	if err := yamlfile.Join(err, c.check(f)); err != nil {
		return Config{}, err
	}
	return c, nil
}

// password reads the broker's password; the file's line end does not belong to it.
func (b Broker) password() (string, error) {
	data, err := os.ReadFile(b.PasswordFile)
	if errors.Is(err, fs.ErrNotExist) {
		return "", errors.New("broker.password_file: " + b.PasswordFile + " is not there; nirapod gateway add makes it")
	}
	return strings.TrimRight(string(data), "\r\n"), err
}

// trust returns whom to accept as the broker; nil = the system's authorities.
func (b Broker) trust() (*tls.Config, error) {
	if b.CAFile == "" {
		return nil, nil
	}
	text, err := os.ReadFile(b.CAFile)
	if err != nil {
		return nil, fmt.Errorf("broker.ca_file: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return nil, errors.New("broker.ca_file: " + b.CAFile + " holds no certificate")
	}
	return &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, nil
}

// way reads what is needed to reach the broker.
func (b Broker) way() (password string, trust *tls.Config, err error) {
	if password, err = b.password(); err != nil {
		return "", nil, err
	}
	trust, err = b.trust()
	return password, trust, err
}
