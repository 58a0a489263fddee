package conf

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"
)

// LoadOptions say where to load from. The zero value reads the environment and
// DefaultFile, if it exists.
type LoadOptions struct {
	// Flags are those of AddFlags, parsed. Nil: none were given.
	Flags *pflag.FlagSet
	// Hostname is the default of node. Empty: the machine's.
	Hostname string
}

// Loaded is a configuration and what there is to say about it.
type Loaded struct {
	Config  Config
	Origins Origins
	// File is the configuration file that was read; empty if there was none.
	File string
	// Warnings are for the log: what was accepted and probably not meant.
	Warnings []string
}

// Load reads the configuration. The error is an *Error that lists every fault.
func Load(o LoadOptions) (Loaded, error) {
	l := &loader{v: viper.New(), flags: o.Flags, origins: Origins{}}
	if l.flags == nil {
		l.flags = pflag.NewFlagSet("", pflag.ContinueOnError)
	}
	l.readFile()
	l.bind()
	l.collect()
	if len(l.problems) > 0 {
		return Loaded{}, l.err()
	}
	l.readTasks()
	l.derive(o.Hostname)
	l.readSecrets()
	l.check()
	l.strayVariables()
	if err := l.err(); err != nil {
		return Loaded{}, err
	}
	return Loaded{Config: l.config, Origins: l.origins, File: l.file, Warnings: l.warnings}, nil
}

// Check reads a configuration file alone, without flags and environment, and
// reports its faults as Load would. A file named tasks-config.xml is read as
// that.
func Check(file string) error {
	if filepath.Base(file) == TasksFile {
		return checkTasks(file)
	}
	l := &loader{v: viper.New(), flags: pflag.NewFlagSet("", pflag.ContinueOnError), origins: Origins{}, file: file, alone: true}
	l.readFile()
	l.bind()
	l.collect()
	if len(l.problems) == 0 {
		l.check()
	}
	return l.err()
}

func checkTasks(file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return &Error{Problems: []Problem{{File: file, Message: reason(err).Error()}}}
	}
	_, err = ParseTasks(file, data)
	return err
}

type loader struct {
	problems
	v        *viper.Viper
	flags    *pflag.FlagSet
	config   Config
	origins  Origins
	file     string
	alone    bool // nothing but the file counts
	warnings []string
	inFile   Origins
}

func (l *loader) readFile() {
	explicit := l.alone
	if f := l.flags.Lookup("config"); f != nil && f.Changed {
		l.file, explicit = f.Value.String(), true
	}
	if l.file == "" && !explicit {
		l.file = DefaultFile
	}
	data, err := os.ReadFile(l.file)
	if errors.Is(err, fs.ErrNotExist) && !explicit {
		l.file = ""
		return
	}
	if err != nil {
		l.addf(Origin{Where: l.file}, "%v", reason(err))
		return
	}
	values, origins, err := readYAML(l.file, data)
	var faults *Error
	if errors.As(err, &faults) {
		l.problems = append(l.problems, faults.Problems...)
		return
	}
	l.inFile = origins
	nested := map[string]any{}
	for name, value := range values {
		put(nested, strings.Split(name, "."), value)
	}
	if err := l.v.MergeConfigMap(nested); err != nil {
		l.addf(Origin{Where: l.file}, "%v", err)
	}
}

// reason drops the operation and the path of a file error.
func reason(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

func put(m map[string]any, path []string, value any) {
	if len(path) == 1 {
		m[path[0]] = value
		return
	}
	inner, ok := m[path[0]].(map[string]any)
	if !ok {
		inner = map[string]any{}
		m[path[0]] = inner
	}
	put(inner, path[1:], value)
}

// bind tells viper of defaults, variables and flags.
func (l *loader) bind() {
	defaults := reflect.ValueOf(Default())
	for _, k := range Keys() {
		l.v.SetDefault(k.Name, defaults.FieldByIndex(k.index).Interface())
		if l.alone {
			continue
		}
		if err := l.v.BindEnv(k.Name, k.Env); err != nil {
			l.addf(Origin{Where: k.Env}, "%v", err)
		}
		if f := l.flags.Lookup(k.Flag); f != nil && k.Kind != KindMappings {
			if err := l.v.BindPFlag(k.Name, f); err != nil {
				l.addf(Origin{Where: "--" + k.Flag}, "%v", err)
			}
		}
	}
}

// collect takes what viper decided into the configuration. What comes from the
// environment or a flag is text that is not parsed yet.
func (l *loader) collect() {
	target := reflect.ValueOf(&l.config).Elem()
	for _, k := range Keys() {
		origin := l.origin(k)
		value := l.v.Get(k.Name)
		if text, ok := value.(string); ok {
			parsed, err := k.parse(text)
			if err != nil && origin.Source != FromDefault {
				l.addf(origin, "%s: %v", k.Name, err)
				continue
			}
			value = parsed
		}
		if value != nil {
			target.FieldByIndex(k.index).Set(reflect.ValueOf(value))
		}
		l.origins[k.Name] = origin
	}
	l.mappingFlags()
}

// mappingFlags puts the mappings of the command line before all others.
func (l *loader) mappingFlags() {
	f := l.flags.Lookup("map-datasource")
	if f == nil || !f.Changed || l.alone {
		return
	}
	origin := Origin{Source: FromFlag, Where: "--map-datasource"}
	texts, err := l.flags.GetStringArray("map-datasource")
	if err != nil {
		l.addf(origin, "%v", err)
		return
	}
	list, err := parseMappings(texts)
	if err != nil {
		l.addf(origin, "%v", err)
		return
	}
	l.config.DatasourceMap = append(list, l.config.DatasourceMap...)
	l.origins["datasource_map"] = origin
}

// origin finds the strongest source that says something, in viper's order.
func (l *loader) origin(k Key) Origin {
	if f := l.flags.Lookup(k.Flag); f != nil && f.Changed && !l.alone && k.Kind != KindMappings {
		return Origin{Source: FromFlag, Where: "--" + k.Flag}
	}
	if text := os.Getenv(k.Env); text != "" && !l.alone {
		return Origin{Source: FromEnv, Where: k.Env}
	}
	if o, ok := l.inFile[k.Name]; ok {
		return o
	}
	return Origin{Source: FromDefault}
}

// derive fills in what follows from other settings.
func (l *loader) derive(hostname string) {
	fill := func(key string, field *string, value string) {
		if *field == "" {
			*field = value
			l.origins[key] = Origin{Source: FromDerived}
		}
	}
	c := &l.config
	if hostname == "" {
		hostname, _ = os.Hostname()
	}
	fill("node", &c.Node, hostname)
	fill("socket", &c.Socket, filepath.Join(c.Data, "belfryd.sock"))
	fill("coordination", &c.Coordination, filepath.Join(c.Conf, "coordination-client-config.xml"))
	fill("files.folder", &c.Files.Folder, c.Services)
	fill("mail.folder", &c.Mail.Folder, filepath.Join(c.Data, "mail"))
}

// readTasks reads tasks-config.xml, if there is one.
func (l *loader) readTasks() {
	file := filepath.Join(l.config.Conf, TasksFile)
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		l.addf(Origin{Where: file}, "%v", reason(err))
		return
	}
	tasks, err := ParseTasks(file, data)
	var faults *Error
	if errors.As(err, &faults) {
		l.problems = append(l.problems, faults.Problems...)
		return
	}
	l.config.Tasks = tasks
	l.warnings = append(l.warnings, tasks.Warnings...)
	weaker := l.origins["task_server_count"].Source
	if tasks.ServerCount > 0 && weaker != FromFlag && weaker != FromEnv {
		l.config.TaskServerCount = tasks.ServerCount
		l.origins["task_server_count"] = Origin{Source: FromTasks, Where: file, Line: tasks.CountLine, Column: tasks.CountColumn}
	}
}

// readSecrets reads the files that hold secrets.
func (l *loader) readSecrets() {
	for _, s := range []struct {
		key    string
		file   string
		secret *Secret
	}{
		{"zookeeper.password", l.config.ZooKeeper.PasswordFile, &l.config.ZooKeeper.Password},
		{"mail.smtp.password", l.config.Mail.SMTP.PasswordFile, &l.config.Mail.SMTP.Password},
		{"kafka.password", l.config.Kafka.PasswordFile, &l.config.Kafka.Password},
		{"webhook.secret", l.config.Webhook.SecretFile, &l.config.Webhook.Secret},
	} {
		if s.file == "" {
			continue
		}
		at := l.origins[s.key+"_file"]
		info, err := os.Stat(s.file)
		switch {
		case *s.secret != "":
			l.addf(at, "%s and %s_file are both given", s.key, s.key)
			continue
		case err != nil:
			l.addf(at, "%s_file %s: %v", s.key, s.file, reason(err))
			continue
		case info.Mode().Perm()&0o077 != 0:
			l.addf(at, "%s_file %s can be read by others (mode %04o); make it 0600", s.key, s.file, info.Mode().Perm())
			continue
		}
		data, err := os.ReadFile(s.file)
		text := strings.TrimRight(string(data), "\r\n")
		if err != nil || text == "" || len(text) > maxSecret {
			l.addf(at, "%s_file %s must hold 1 to %d bytes", s.key, s.file, maxSecret)
			continue
		}
		*s.secret = Secret(text)
		l.origins[s.key] = Origin{Source: FromFile, Where: s.file}
	}
}

const (
	maxSecret = 4096
	maxSocket = 107 // of struct sockaddr_un, on Linux
)
