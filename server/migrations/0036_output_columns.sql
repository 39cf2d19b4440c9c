-- What a version says of the columns of its results: title and unit by name.
alter table model_versions add column output_columns jsonb;
