# Fields: widgets, parts of composite values, faults.

field-required = required
field-duration-example = 1h 30m
select-choose = Choose…
rows-add = Add row
rows-remove = Remove
file-limit = At most { $size } each
value-none = empty
value-yes = Yes
value-no = No
value-json = Show data
part-street = Street
part-street2 = Street, second line
part-city = City
part-region = State or province
part-postal-code = Postal code
part-country = Country
part-given = First name
part-family = Last name
part-middle = Middle name
part-prefix = Title
part-suffix = Suffix
part-lat = Latitude
part-lon = Longitude
part-currency = Currency
computed-formula = Worked out from other fields.
computed-rollup = Summed up over related records.
computed-lookup = Comes from the linked record.
computed-number = Numbered automatically ({ $format }).
system-created-at = Created
system-created-by = Created by
system-updated-at = Changed
system-updated-by = Changed by
system-owner = Owner
fault-required = Fill this in.
fault-unique = Another record already has this value.
fault-wrong-type = This value does not fit.
fault-not-a-number = Enter a number.
fault-not-a-date = Enter a date.
fault-not-an-option = Choose one of the options.
fault-option-not-allowed = This option cannot be chosen here.
fault-bad-id = Choose an existing record.
fault-bad-email = Enter an e-mail address such as name@example.com.
fault-bad-phone = Enter a phone number.
fault-bad-url = Enter an address such as https://example.com.
fault-too-long = Shorten this text.
fault-too-short = This text is too short.
fault-too-large = This is more than allowed.
fault-too-small = This is less than allowed.
fault-too-precise = This has too many decimal places.
fault-too-many = There are too many entries.
fault-pattern = This does not have the expected form.
fault-read-only = This cannot be changed now.
value-stars = { $stars } of { $most } stars
value-records =
    { $count ->
        [one] One record
       *[other] { $count } records
    }
