// Package conf is the configuration of belfryd.
//
// Every setting is a field of Config and has one key, such as mail.smtp.host.
// Its value comes from the first of: the command line, the environment
// (BELFRY_MAIL_SMTP_HOST), the file (belfryd.yaml), the default in Default. The
// original's tasks-config.xml in the conf folder stands between environment and
// file, for the one setting that both have, task_server_count. Origins tells
// which it was.
//
// Nothing is guessed: unknown keys, wrong types and values out of bounds are
// refused, all at once, with file, line, column and the nearest valid key.
//
// Keys of viper are lower case whatever was written, so names that have a case
// stand in lists (datasource_map), never in keys.
//
// Secrets are of type Secret, which prints "***". Values and Mapping.String
// redact what is shown to people.
package conf
