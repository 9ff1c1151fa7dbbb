// ext:deno_node/internal/util/parse_args/parse_args.js
// From deno_node 0.198.0, MIT: see ../LICENSE.md. Written by refresh.mjs.
(function() {
  const { core, primordials } = __bootstrap;
  const {
    ArrayPrototypeForEach,
    ArrayPrototypeIncludes,
    ArrayPrototypeMap,
    ArrayPrototypePushApply,
    ArrayPrototypeShift,
    ArrayPrototypeSlice,
    ArrayPrototypePush,
    ArrayPrototypeUnshiftApply,
    ObjectHasOwn,
    ObjectEntries,
    StringPrototypeCharAt,
    StringPrototypeIndexOf,
    StringPrototypeSlice,
    StringPrototypeStartsWith
  } = primordials;
  const {
    validateArray,
    validateBoolean,
    validateBooleanArray,
    validateObject,
    validateString,
    validateStringArray,
    validateUnion
  } = core.loadExtScript("ext:deno_node/internal/validators.mjs");
  const {
    findLongOptionForShort,
    isLoneLongOption,
    isLoneShortOption,
    isLongOptionAndValue,
    isOptionLikeValue,
    isOptionValue,
    isShortOptionAndValue,
    isShortOptionGroup,
    objectGetOwn,
    optionsGetOwn,
    useDefaultValueOption
  } = core.loadExtScript("ext:deno_node/internal/util/parse_args/utils.js");
  const { codes } = core.loadExtScript("ext:deno_node/internal/error_codes.ts");
  const {
    ERR_INVALID_ARG_VALUE,
    ERR_PARSE_ARGS_INVALID_OPTION_VALUE,
    ERR_PARSE_ARGS_UNKNOWN_OPTION,
    ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL
  } = codes;
  const lazyProcess = core.createLazyLoader("node:process");
  function getMainArgs() {
    const proc = lazyProcess();
    const execArgv = proc.execArgv;
    if (ArrayPrototypeIncludes(execArgv, "-e") || ArrayPrototypeIncludes(execArgv, "--eval") || ArrayPrototypeIncludes(execArgv, "-p") || ArrayPrototypeIncludes(execArgv, "--print")) {
      return ArrayPrototypeSlice(proc.argv, 1);
    }
    return ArrayPrototypeSlice(proc.argv, 2);
  }
  function checkOptionLikeValue(token) {
    if (!token.inlineValue && isOptionLikeValue(token.value)) {
      const example = StringPrototypeStartsWith(token.rawName, "--") ? `'${token.rawName}=-XYZ'` : `'--${token.name}=-XYZ' or '${token.rawName}-XYZ'`;
      const errorMessage = `Option '${token.rawName}' argument is ambiguous.
Did you forget to specify the option argument for '${token.rawName}'?
To specify an option argument starting with a dash use ${example}.`;
      throw new ERR_PARSE_ARGS_INVALID_OPTION_VALUE(errorMessage);
    }
  }
  function checkOptionUsage(config, token) {
    if (!ObjectHasOwn(config.options, token.name)) {
      throw new ERR_PARSE_ARGS_UNKNOWN_OPTION(
        token.rawName,
        config.allowPositionals
      );
    }
    const short = optionsGetOwn(config.options, token.name, "short");
    const shortAndLong = `${short ? `-${short}, ` : ""}--${token.name}`;
    const type = optionsGetOwn(config.options, token.name, "type");
    if (type === "string" && typeof token.value !== "string") {
      throw new ERR_PARSE_ARGS_INVALID_OPTION_VALUE(
        `Option '${shortAndLong} <value>' argument missing`
      );
    }
    if (type === "boolean" && token.value != null) {
      throw new ERR_PARSE_ARGS_INVALID_OPTION_VALUE(
        `Option '${shortAndLong}' does not take an argument`
      );
    }
  }
  function storeOption(longOption, optionValue, options, values) {
    if (longOption === "__proto__") {
      return;
    }
    const newValue = optionValue ?? true;
    if (optionsGetOwn(options, longOption, "multiple")) {
      if (values[longOption]) {
        ArrayPrototypePush(values[longOption], newValue);
      } else {
        values[longOption] = [newValue];
      }
    } else {
      values[longOption] = newValue;
    }
  }
  function storeDefaultOption(longOption, optionValue, values) {
    if (longOption === "__proto__") {
      return;
    }
    values[longOption] = optionValue;
  }
  function argsToTokens(args, options) {
    const tokens = [];
    let index = -1;
    let groupCount = 0;
    const remainingArgs = ArrayPrototypeSlice(args);
    while (remainingArgs.length > 0) {
      const arg = ArrayPrototypeShift(remainingArgs);
      const nextArg = remainingArgs[0];
      if (groupCount > 0) {
        groupCount--;
      } else {
        index++;
      }
      if (arg === "--") {
        ArrayPrototypePush(tokens, { kind: "option-terminator", index });
        ArrayPrototypePushApply(
          tokens,
          ArrayPrototypeMap(remainingArgs, (arg2) => {
            return { kind: "positional", index: ++index, value: arg2 };
          })
        );
        break;
      }
      if (isLoneShortOption(arg)) {
        const shortOption = StringPrototypeCharAt(arg, 1);
        const longOption = findLongOptionForShort(shortOption, options);
        let value;
        let inlineValue;
        if (optionsGetOwn(options, longOption, "type") === "string" && isOptionValue(nextArg)) {
          value = ArrayPrototypeShift(remainingArgs);
          inlineValue = false;
        }
        ArrayPrototypePush(
          tokens,
          {
            kind: "option",
            name: longOption,
            rawName: arg,
            index,
            value,
            inlineValue
          }
        );
        if (value != null) ++index;
        continue;
      }
      if (isShortOptionGroup(arg, options)) {
        const expanded = [];
        for (let index2 = 1; index2 < arg.length; index2++) {
          const shortOption = StringPrototypeCharAt(arg, index2);
          const longOption = findLongOptionForShort(shortOption, options);
          if (optionsGetOwn(options, longOption, "type") !== "string" || index2 === arg.length - 1) {
            ArrayPrototypePush(expanded, `-${shortOption}`);
          } else {
            ArrayPrototypePush(expanded, `-${StringPrototypeSlice(arg, index2)}`);
            break;
          }
        }
        ArrayPrototypeUnshiftApply(remainingArgs, expanded);
        groupCount = expanded.length;
        continue;
      }
      if (isShortOptionAndValue(arg, options)) {
        const shortOption = StringPrototypeCharAt(arg, 1);
        const longOption = findLongOptionForShort(shortOption, options);
        const value = StringPrototypeSlice(arg, 2);
        ArrayPrototypePush(
          tokens,
          {
            kind: "option",
            name: longOption,
            rawName: `-${shortOption}`,
            index,
            value,
            inlineValue: true
          }
        );
        continue;
      }
      if (isLoneLongOption(arg)) {
        const longOption = StringPrototypeSlice(arg, 2);
        let value;
        let inlineValue;
        if (optionsGetOwn(options, longOption, "type") === "string" && isOptionValue(nextArg)) {
          value = ArrayPrototypeShift(remainingArgs);
          inlineValue = false;
        }
        ArrayPrototypePush(
          tokens,
          {
            kind: "option",
            name: longOption,
            rawName: arg,
            index,
            value,
            inlineValue
          }
        );
        if (value != null) ++index;
        continue;
      }
      if (isLongOptionAndValue(arg)) {
        const equalIndex = StringPrototypeIndexOf(arg, "=");
        const longOption = StringPrototypeSlice(arg, 2, equalIndex);
        const value = StringPrototypeSlice(arg, equalIndex + 1);
        ArrayPrototypePush(
          tokens,
          {
            kind: "option",
            name: longOption,
            rawName: `--${longOption}`,
            index,
            value,
            inlineValue: true
          }
        );
        continue;
      }
      ArrayPrototypePush(tokens, { kind: "positional", index, value: arg });
    }
    return tokens;
  }
  const parseArgs = (config = { __proto__: null }) => {
    const args = objectGetOwn(config, "args") ?? getMainArgs();
    const strict = objectGetOwn(config, "strict") ?? true;
    const allowPositionals = objectGetOwn(config, "allowPositionals") ?? !strict;
    const returnTokens = objectGetOwn(config, "tokens") ?? false;
    const options = objectGetOwn(config, "options") ?? { __proto__: null };
    const allowNegative = objectGetOwn(config, "allowNegative") ?? false;
    const parseConfig = {
      args,
      strict,
      options,
      allowPositionals,
      allowNegative
    };
    validateArray(args, "args");
    validateBoolean(strict, "strict");
    validateBoolean(allowPositionals, "allowPositionals");
    validateBoolean(returnTokens, "tokens");
    validateObject(options, "options");
    ArrayPrototypeForEach(
      ObjectEntries(options),
      ({ 0: longOption, 1: optionConfig }) => {
        validateObject(optionConfig, `options.${longOption}`);
        const optionType = objectGetOwn(optionConfig, "type");
        validateUnion(optionType, `options.${longOption}.type`, [
          "string",
          "boolean"
        ]);
        if (ObjectHasOwn(optionConfig, "short")) {
          const shortOption = optionConfig.short;
          validateString(shortOption, `options.${longOption}.short`);
          if (shortOption.length !== 1) {
            throw new ERR_INVALID_ARG_VALUE(
              `options.${longOption}.short`,
              shortOption,
              "must be a single character"
            );
          }
        }
        const multipleOption = objectGetOwn(optionConfig, "multiple");
        if (ObjectHasOwn(optionConfig, "multiple")) {
          validateBoolean(multipleOption, `options.${longOption}.multiple`);
        }
        const defaultValue = objectGetOwn(optionConfig, "default");
        if (defaultValue !== void 0) {
          let validator;
          switch (optionType) {
            case "string":
              validator = multipleOption ? validateStringArray : validateString;
              break;
            case "boolean":
              validator = multipleOption ? validateBooleanArray : validateBoolean;
              break;
          }
          validator(defaultValue, `options.${longOption}.default`);
        }
      }
    );
    const tokens = argsToTokens(args, options);
    const result = {
      values: { __proto__: null },
      positionals: []
    };
    if (returnTokens) {
      result.tokens = tokens;
    }
    ArrayPrototypeForEach(tokens, (token) => {
      if (token.kind === "option") {
        let name = token.name;
        let value = token.value;
        if (allowNegative && StringPrototypeStartsWith(token.rawName, "--no-")) {
          name = StringPrototypeSlice(token.rawName, 5);
          if (!ObjectHasOwn(options, name)) {
            if (strict) {
              throw new ERR_PARSE_ARGS_UNKNOWN_OPTION(
                token.rawName,
                allowPositionals
              );
            }
            value = false;
          } else if (optionsGetOwn(options, name, "type") !== "boolean") {
            throw new ERR_PARSE_ARGS_UNKNOWN_OPTION(
              token.rawName,
              allowPositionals
            );
          } else {
            value = false;
          }
        }
        const checkToken = {
          ...token,
          name
          // Use the processed name (without --no- prefix if applicable)
        };
        if (strict) {
          checkOptionUsage(parseConfig, checkToken);
          checkOptionLikeValue(checkToken);
        }
        storeOption(name, value, options, result.values);
      } else if (token.kind === "positional") {
        if (!allowPositionals) {
          throw new ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL(token.value);
        }
        ArrayPrototypePush(result.positionals, token.value);
      }
    });
    ArrayPrototypeForEach(
      ObjectEntries(options),
      ({ 0: longOption, 1: optionConfig }) => {
        const mustSetDefault = useDefaultValueOption(
          longOption,
          optionConfig,
          result.values
        );
        if (mustSetDefault) {
          storeDefaultOption(
            longOption,
            objectGetOwn(optionConfig, "default"),
            result.values
          );
        }
      }
    );
    return result;
  };
  return { parseArgs };
})();
